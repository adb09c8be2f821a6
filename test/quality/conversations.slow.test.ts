import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { memoize } from '../../index/embedding/memoize.ts';
import { ParallelEmbedder } from '../../index/embedding/parallel.ts';
import {
  type ConversationScores,
  evaluateConversations,
  readConversations,
} from '../../index/evaluate/conversations.ts';
import { readSet } from '../../index/evaluate/set.ts';
import { tokenCounter } from '../../index/ingest/build.ts';
import { defaultModel, root, setFolder } from '../fixtures/index.ts';

// Thresholds are slightly below the measurements. A regression fails, but another processor does not.

let scores: ConversationScores;

beforeAll(async () => {
  const { dir } = defaultModel();
  const parallel = new ParallelEmbedder(dir);
  try {
    const conversations = await readConversations(join(root, 'test/quality/conversations'));
    scores = await evaluateConversations(
      { embedder: memoize(parallel), countTokens: tokenCounter(dir), mode: 'hybrid' },
      await Promise.all(['ar', 'de', 'en', 'fr', 'hi', 'zh'].map((lang) => readSet(setFolder(lang)))),
      conversations.filter(({ split }) => split === 'test'),
    );
  } finally {
    parallel.close();
  }
});

test('a history raises the R@1 of 54 follow-ups by at least .25, to at least .8, with p < .001 by the sign test', () => {
  const { questions, alone, history } = scores.rows['follow-ups']!;
  expect(questions).toBe(54);
  expect(history.r1).toBeGreaterThanOrEqual(0.8);
  expect(history.r1 - alone.r1).toBeGreaterThanOrEqual(0.25);
  expect(history.r5).toBeGreaterThanOrEqual(0.95);
  expect(scores.followUps.p).toBeLessThan(0.001);
});

test('standalone questions lose at most .04 of R@1 with an unrelated history', () => {
  for (const kind of ['switch', 'keywords', 'set question']) {
    const { alone, history } = scores.rows[kind]!;
    expect(history.r1, kind).toBeGreaterThanOrEqual(alone.r1 - 0.04);
  }
});

test('an unrelated history does not raise the share of unanswerable questions that count as answered', () => {
  const { alone, history } = scores.rows.unanswerable!;
  expect(history.answered).toBeLessThanOrEqual(alone.answered + 0.02);
});
