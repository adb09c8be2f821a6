import { expect, test } from 'vitest';
import { readSet } from '../../../index/evaluate/set.ts';
import { evaluateSmallTalk, readPhrases, smallTalkTable } from '../../../index/evaluate/small-talk.ts';
import { withIndex } from '../../../index/evaluate/temporary-index.ts';
import type { Turn } from '../../../index/search/answer.ts';
import { lexicalBuilder, writeLines } from '../../fixtures/evaluation.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const builder = lexicalBuilder();

test('phrases are counted by verdict, alone and after a question with its answer', async () => {
  const passage = { id: 'en-0', lang: 'en', text: 'The light flashes every twelve seconds.' };
  const query = { id: 'en-q', lang: 'en', text: 'light flashes', relevant: ['en-0'] };
  writeLines(`${folder}/en`, 'passages.jsonl', [passage]);
  writeLines(`${folder}/en`, 'queries.jsonl', [{ ...query, id: 'en-none', relevant: [] }, query]);
  writeLines(folder, 'phrases.jsonl', [
    { id: 'a', lang: 'en', text: 'hello', kind: 'greeting' },
    { id: 'b', lang: 'en', text: 'thanks', kind: 'thanks' },
    { id: 'c', lang: 'en', text: 'The light flashes every twelve seconds.', kind: 'thanks' },
  ]);
  const [set, phrases] = [await readSet(`${folder}/en`), await readPhrases(folder)];
  const history: Turn[] = [
    { role: 'user', content: query.text },
    { role: 'assistant', content: passage.text },
  ];
  const verdicts = await withIndex(builder(), [set], (search) =>
    Promise.all(
      phrases.map(async ({ text: q }) => {
        const asked = [{ q }, { q, history }].map((each) =>
          search.search({ ...each, k: 1, mode: 'lexical' }),
        );
        const [alone, after] = await Promise.all(asked);
        return { alone: alone!.verdict, history: after!.verdict };
      }),
    ),
  );
  const counts = (form: 'alone' | 'history', from = 0, to = 3) => {
    const some = verdicts.slice(from, to).map((one) => one[form]);
    return {
      answered: some.filter((verdict) => verdict === 'answered').length,
      possible: some.filter((verdict) => verdict !== 'none').length,
    };
  };
  // The words of the last phrase are in the index.
  expect(verdicts.map(({ alone }) => alone)).toEqual(['none', 'none', 'answered']);
  const report = await evaluateSmallTalk(builder(), [set], phrases);
  expect(report.rows).toEqual({
    all: { phrases: 3, alone: counts('alone'), history: counts('history') },
    greeting: { phrases: 1, alone: counts('alone', 0, 1), history: counts('history', 0, 1) },
    thanks: { phrases: 2, alone: counts('alone', 1), history: counts('history', 1) },
  });
  expect(report.answered.alone).toEqual(['en: c']);
  expect(report.answered.history).toHaveLength(counts('history').answered);
  expect(smallTalkTable(report)).toMatch(/^all +3 +0\.333 +0\.333 +/m);
});

test.each([
  [
    { id: 'a', lang: 'en', text: 'hello' },
    /phrases\.jsonl:1: "kind" must be a non-empty string but is missing\.$/,
  ],
  [
    { id: 'a', lang: 'en', text: '', kind: 'x' },
    /phrases\.jsonl:1: "text" must be a non-empty string but is ""\.$/,
  ],
])('refuses %j', async (line, message) => {
  writeLines(`${folder}/wrong`, 'phrases.jsonl', [line]);
  await expect(readPhrases(`${folder}/wrong`)).rejects.toThrow(message);
});
