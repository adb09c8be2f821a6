import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { questionsIn } from '../../functions/deployed/questions.ts';
import { Embedder } from '../../index/embedding/embedder.ts';
import { findUnanswered } from '../../index/evaluate/unanswered.ts';
import { defaultModel } from '../fixtures/index.ts';
import { root } from '../fixtures/prepared.ts';
import { SearchDouble } from '../functions/search/search-double.ts';

const lines = readFileSync(join(root, 'test/quality/unanswered/log.jsonl'), 'utf8').trim().split('\n');
const topics = new Map(lines.map((line) => JSON.parse(line)).map(({ q, topic }) => [q, topic]));
const names = [...new Set(topics.values())];

/** Groups the questions about every second topic. Of the groups of three or more, those are right of which nine in ten have one topic. */
async function groupsOf(half: 0 | 1) {
  const own = lines.filter((line) => names.indexOf(JSON.parse(line).topic) % 2 === half);
  const embedder = await Embedder.open(defaultModel().dir, { verify: false });
  const questions = await questionsIn(own, 0, undefined);
  const { groups } = await findUnanswered(questions, embedder, new SearchDouble());
  const large = groups
    .map(({ question, others }) => [question, ...others])
    .filter(({ length }) => length > 2);
  const right = large.filter((group) => {
    const counts = names.map((name) => group.filter((q) => topics.get(q) === name).length);
    return Math.max(...counts) >= 0.9 * group.length;
  });
  const languages = groups.filter(({ languages }) => languages.length > 1).length;
  return {
    groups: groups.length,
    large: large.length,
    right: right.length,
    languages,
    inLarge: large.flat().length,
  };
}

test('groups the questions of a recorded log by topic, across languages', async () => {
  const { groups, large, right, languages, inLarge } = await groupsOf(1);
  expect(right).toBeGreaterThanOrEqual(0.9 * large);
  // Of 240 questions in 95 groups, 156 are in groups of three or more.
  expect(inLarge).toBeGreaterThan(145);
  expect(groups).toBeLessThan(105);
  expect(languages).toBeGreaterThan(35);
});
