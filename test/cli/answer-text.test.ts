import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { readable } from '../../cli/kit/answer-text.ts';
import { SearchDouble } from '../functions/search/search-double.ts';

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
