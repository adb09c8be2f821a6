import { appendFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Embedder, type TextKind } from '../../index/embedding/embedder.ts';
import { defaultModel, setFolder, temporaryFolder } from '../fixtures/index.ts';
import { command } from '../fixtures/processes.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const [documents, index] = [at('documents'), at('index')];
const QUESTION = 'Wie oft blinkt der Leuchtturm von Korvane?';

beforeAll(async () => {
  for (const name of ['documents/notes', 'damaged', 'mine']) mkdirSync(at(name), { recursive: true });
  cpSync(join(setFolder('en'), 'passages.jsonl'), at('documents/en.jsonl'));
  writeFileSync(at('documents/notes/picture.png'), '');
  writeFileSync(at('documents.docx'), '');
  writeFileSync(at('mine/notes.txt'), 'mine');
  expect(await command('build-index', [documents, '--out', index])).toMatchObject({ code: 0 });
  cpSync(index, at('damaged'), { recursive: true });
  appendFileSync(at('damaged/lookup.bin'), 'x');
});

describe('build-index', () => {
  test('says what it built, in plain lines', async () => {
    const { code, stdout, stderr } = await command('build-index', [documents, '--out', index]);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(
        /^.*index: 30 documents, 30 passages, \d+ sentences, \d+ terms; 1 files of other formats skipped$/,
      ),
      expect.stringMatching(/^\d+\.\d s, \d+\.\d passages\/s$/),
      expect.stringMatching(
        /^graph\.hnsw [\d.]+ KB, passages\.bin [\d.]+ KB, sentences\.bin [\d.]+ KB, languages\.bin [\d.]+ KB, lookup\.bin [\d.]+ KB, manifest\.json [\d.]+ KB$/,
      ),
      expect.stringMatching(/^version [0-9a-f]{12}, model multilingual-e5-small$/),
    ]);
    const progress = stderr.trimEnd().split('\n');
    expect(progress.length).toBeLessThanOrEqual(10);
    for (const line of progress) expect(line).toMatch(/^\d+ of \d+ passages and sentences$/);
    expect(progress.at(-1)).toMatch(/^(\d+) of \1 /);
  });
});

describe('wrong usage is one line on standard error and exit code 1', () => {
  test.each([
    ['build-index', [], /^error: missing required argument 'path'$/],
    ['build-index', [documents, '--quiet'], /^error: unknown option '--quiet'$/],
    ['build-index', [at('none')], /none cannot be read: .*\.$/],
    ['build-index', [at('documents.docx')], /documents\.docx is of no known format: expected one of .*\.$/],
    [
      'build-index',
      [documents, '--out', at('mine')],
      /mine holds notes\.txt, which is no part of an index: .*\.$/,
    ],
    ['build-index', [documents, '--model', at('mine')], /mine has no config\.json: .*\.$/],
    ['search', ['--index', index], /^error: missing required argument 'question'$/],
    ['search', [QUESTION, 'more', '--index', index], /^error: too many arguments/],
    [
      'search',
      [QUESTION, '--mode', 'fuzzy'],
      /^error: .*'fuzzy' is invalid\. Allowed choices are hybrid, semantic, lexical\.$/,
    ],
    ['search', [QUESTION, '-k', '0'], /^-k is "0", but must be a whole number from 1 to 100\.$/],
    ['search', [QUESTION, '-k', '2.5'], /^-k is "2\.5", but must be a whole number from 1 to 100\.$/],
    ['search', [QUESTION, '--context', '6'], /^--context is "6", but must be a whole number from 0 to 5\.$/],
    [
      'search',
      [QUESTION, '--min-confidence', '2'],
      /^--min-confidence is "2", but must be a number from 0 to 1\.$/,
    ],
    ['search', [QUESTION, '--index', at('none')], /none holds no index \(no manifest\.json\): .*\.$/],
    [
      'search',
      [QUESTION, '--index', at('damaged')],
      /lookup\.bin has \d+ bytes where its manifest says \d+: .*\.$/,
    ],
    ['search', ['  ', '--index', index], /^The question is empty: write one, in quotes\.$/],
    ['eval', [], /^error: missing required argument 'set'$/],
    ['eval', [at('mine')], /mine has neither passages\.jsonl nor passages\.jsonl\.gz, .*\.$/],
    ['package', ['--index', at('none')], /none holds no index \(no manifest\.json\): .*\.$/],
    ['package', ['--index', at('damaged')], /lookup\.bin has \d+ bytes where its manifest says \d+: .*\.$/],
    [
      'package',
      ['--index', index, '--out', at('mine')],
      /mine holds notes\.txt, which is no part of a packaged function: .*\.$/,
    ],
    ['embed', ['--model', at('none')], /none has no config\.json: .*\.$/],
  ])('%s %j', async (script, args, message) => {
    const { code, stdout, stderr } = await command(script, args);
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr.trimEnd()).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });
});

describe('search', () => {
  test('shows results in plain text, and says when nothing is certain', async () => {
    const found = await command('search', [
      QUESTION,
      '--index',
      index,
      '--lang',
      'en',
      '--context',
      '1',
      '--explain',
    ]);
    expect(found).toMatchObject({ code: 0, stderr: '' });
    expect(found.stdout).toMatch(
      /^1\. Korvane lighthouse {2}en\.jsonl \[en\] confidence 0\.\d\d, score .* = passage .* id en-lighthouse-1$/m,
    );
    expect(found.stdout).not.toMatch(/[^\P{Cc}\n]/u);
    const query = 'Who won the football world cup in 1974?';
    const uncertain = await command('search', [query, '--index', index, '-k', '1']);
    expect(uncertain.stdout).toMatch(/^Nothing certain found; the nearest passages:$/m);
    const none = await command('search', [query, '--index', index, '--min-confidence', '1']);
    expect(none.stdout).toMatch(/^Nothing found\.$/m);
  });
});

test('eval scores sets, as a table and as JSON', async () => {
  const table = await command('eval', [setFolder('en'), '--mode', 'lexical']);
  expect(table).toMatchObject({ code: 0, stderr: '' });
  expect(table.stdout).toMatch(
    /^ +R@1 +R@5 +R@10 +MRR@10 +nDCG@10 +AUROC\nen( +\d\.\d{3}){6}\nmean( +\d\.\d{3}){6}\n$/,
  );
  const json = await command('eval', [setFolder('en'), '--mode', 'lexical', '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({ sets: { en: { questions: 60 } }, mean: { questions: 60 } });
});

describe('embed', () => {
  const texts: [string, TextKind | undefined][] = [
    ['hello', 'query'],
    ['hello', 'passage'],
    ['hello', undefined],
    ['', 'query'],
    ['', undefined],
    ['\u2028 and \u2029', 'query'],
    ['\0', undefined],
    ['\ud83d', 'query'],
    ['\udc00 x \ud800', 'passage'],
    ['灯塔 ประภาคาร маяк', 'query'],
    ['tail', undefined],
  ];

  test('prints ids and vectors of any texts in their order, as the embedder makes them', async () => {
    // Half of the line and paragraph separators stand raw in the JSON, as they may, half escaped.
    const lines = texts.flatMap(([text, kind]) => {
      const line = JSON.stringify({ text, kind });
      return [line, line.replace('\u2028', '\\u2028')];
    });
    const { code, stdout, stderr } = await command('embed', [], `${lines.join('\n')}\n\n`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const printed = stdout.trimEnd().split('\n');
    expect(printed).toHaveLength(lines.length);
    const embedder = await Embedder.open(defaultModel().dir, { verify: false });
    for (const [i, [text, kind]] of texts.entries()) {
      const expected = {
        ids: embedder.ids(text, kind),
        vector: Array.from(await embedder.embed(text, kind)),
      };
      expect(JSON.parse(printed[2 * i]!)).toEqual(expected);
      expect(printed[2 * i + 1]).toBe(printed[2 * i]);
    }
  });

  test.each([
    [
      '{"text": "a"}\n{"text"',
      'Line 2 is not JSON: each line must be like {"text": "hello", "kind": "query"}.',
    ],
    ['[]', 'Line 1 has no text: each line must be like {"text": "hello", "kind": "query"}.'],
    ['null', 'Line 1 has no text: each line must be like {"text": "hello", "kind": "query"}.'],
    ['{"text": 5}', 'Line 1 has no text: each line must be like {"text": "hello", "kind": "query"}.'],
    [
      '{"text": "a", "kind": "document"}',
      'Line 1 has kind "document", but must have "query", "passage" or none.',
    ],
  ])('refuses %j', async (input, message) => {
    expect(await command('embed', [], input)).toMatchObject({ code: 1, stderr: `${message}\n` });
  });

  test('nothing in, nothing out', async () => {
    expect(await command('embed', [], '')).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});
