import { stripVTControlCharacters } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import { forTerminal } from '../../cli/kit/command.ts';
import { readable } from '../../cli/search.ts';
import type { Answer, SearchRequest, SearchResult, Verdict } from '../../index/search/answer.ts';
import { SearchDouble } from '../functions/search/search-double.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const text = 'Artículo 24. Toda persona tiene derecho a vacaciones pagadas. Son anuales.';

function place(words: string): [start: number, end: number] {
  const start = text.indexOf(words);
  return [start, start + words.length];
}

const [start, end] = place('Toda persona tiene derecho a vacaciones pagadas.');
const result: SearchResult = {
  ...{ id: 'a', text, title: 'T', source: 's', lang: 'es', score: 1, confidence: 0.4 },
  highlight: { text: text.slice(start, end), start, end },
};

/** An answer with a verdict as text. Without results, or with a result. */
function printed(
  verdict: Verdict,
  results: SearchResult[] = [result],
  shown?: Parameters<typeof readable>[1],
): string {
  const [took, index] = [
    { embedMs: 1, searchMs: 1, totalMs: 2 },
    { version: 'v', passages: 1, model: 'm' },
  ];
  const answer: Answer = { q: 'x', verdict, answered: verdict === 'answered', results, took, index };
  return readable(answer, shown);
}

test.each<[Verdict, SearchResult[], RegExp]>([
  ['answered', [result], /^1\. T {2}s \[es\] {2}Best match\n/],
  ['possible', [result], /^These passages are close to your question\.\n\n1\. T {2}s \[es\]\n/],
  ['none', [result], /^Nothing here matches your question\. The closest passages:\n\n1\. T {2}s \[es\]\n/],
  ['none', [], /^Nothing here matches your question\.\n\n2 ms/],
])('an answer with the verdict %s and the results %j', (verdict, results, expected) => {
  vi.stubEnv('NO_COLOR', '1');
  expect(printed(verdict, results)).toMatch(expected);
});

test('lines break between words at the width of the terminal', () => {
  vi.stubEnv('FORCE_COLOR', '1');
  const plain = stripVTControlCharacters(printed('answered', [result], { columns: 30 })).split('\n');
  expect(plain.slice(1, 4)).toEqual([
    'Artículo 24. Toda persona',
    'tiene derecho a vacaciones',
    'pagadas. Son anuales.',
  ]);
});

test('a path opens the file, but no text of a document does', () => {
  const link = (address: string) => `\u001b]8;;${address}\u001b\\`;
  const of = { ...result, source: 'answer-text.slow.test.ts', text: link('file:///a') + text };
  const lines = forTerminal(printed('answered', [of], { roots: ['none', import.meta.dirname] }));
  expect(lines).toContain(`${link(import.meta.url)}${of.source}${link('')} [es]`);
  expect(lines).not.toContain(link('file:///a'));
});

test('a filter that matches nothing names the values', () => {
  const request: SearchRequest = { q: 'x', k: 1, mode: 'hybrid', filter: { source: ['nope'] } };
  const closest = [result, { ...result, source: 'b\u0007.html' }, result];
  expect(printed('none', [], { request, closest })).toContain(
    `No passage has source "nope". The closest passages have source ${result.source}, b\uFFFD.html.`,
  );
});

const matches = ['pagadas', 'vacaciones', 'anuales'].map((word) => ({
  query: [0, 1] as [number, number],
  text: place(word),
  weight: 0.3,
}));

test('matching words are between asterisks without styles', () => {
  vi.stubEnv('NO_COLOR', '1');
  const lines = printed('answered', [{ ...result, matches }]).split('\n');
  expect(lines[1]).toBe('Artículo 24. »Toda persona tiene derecho a *vacaciones pagadas*.« Son *anuales*.');
});

test('matching words are underlined in the bold sentence with styles', () => {
  vi.stubEnv('FORCE_COLOR', '1');
  const [, line] = printed('answered', [{ ...result, matches }]).split('\n');
  expect(line!.replaceAll('\x1b[', '<')).toBe(
    'Artículo 24. <1mToda persona tiene derecho a <4mvacaciones pagadas<24m.<22m Son <4manuales<24m.',
  );
});

test('an answer as text lists the other places of a result once', async () => {
  const answer = await new SearchDouble().search({ q: 'x', k: 1, mode: 'hybrid' });
  const [result] = answer.results;
  const alsoIn = [
    ...result!.alsoIn!,
    { id: 'old/3', title: '', source: 'old/copy.md' },
    { id: 'x', title: '', source: 'a\u0007.md' },
  ];
  const text = (places: typeof alsoIn | undefined) =>
    stripVTControlCharacters(readable({ ...answer, results: [{ ...result!, alsoIn: places }] }));
  expect(text(alsoIn).split('\n')).toContain('Also in: https://example.org/old, old/copy.md, a\uFFFD.md');
  expect(text(undefined)).not.toContain('Also in');
});
