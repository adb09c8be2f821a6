import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { memoize } from '../../index/embedding/memoize.ts';
import { ParallelEmbedder } from '../../index/embedding/parallel.ts';
import {
  type ConversationScores,
  evaluateConversations,
  readConversations,
} from '../../index/evaluate/conversations.ts';
import {
  evaluatePooled,
  evaluateSet,
  meanScores,
  type PooledScores,
  type SetScores,
} from '../../index/evaluate/evaluate.ts';
import { readSet } from '../../index/evaluate/set.ts';
import type { Builder } from '../../index/evaluate/temporary-index.ts';
import { tokenCounter } from '../../index/ingest/build.ts';
import { defaultModel, root, setFolder } from '../fixtures/index.ts';

// Thresholds are slightly below the measurements. A regression fails, but another processor does not.

let mono: SetScores;
let pooled: PooledScores;
let conversations: ConversationScores;

beforeAll(async () => {
  const { dir } = defaultModel();
  const parallel = new ParallelEmbedder(dir);
  try {
    const builder: Builder = { embedder: memoize(parallel), countTokens: tokenCounter(dir), mode: 'hybrid' };
    const sets = await Promise.all(
      ['ar', 'de', 'en', 'fr', 'hi', 'zh'].map((lang) => readSet(setFolder(lang))),
    );
    const scores: SetScores[] = [];
    for (const set of sets) scores.push(await evaluateSet(builder, set));
    mono = meanScores(scores);
    pooled = await evaluatePooled(builder, sets);
    const all = await readConversations(join(root, 'test/quality/conversations'));
    conversations = await evaluateConversations(
      builder,
      sets,
      all.filter(({ split }) => split === 'test'),
    );
  } finally {
    parallel.close();
  }
});

describe("the project's own sets, in six languages", () => {
  test('within a language, mean R@1 is at least .76 and R@5 at least .97', () => {
    expect(mono.r1).toBeGreaterThanOrEqual(0.76);
    expect(mono.r5).toBeGreaterThanOrEqual(0.97);
  });

  test('confidence separates answerable from unanswerable questions, with a mean AUROC of at least .74', () => {
    expect(mono.auroc).toBeGreaterThanOrEqual(0.74);
  });

  test('with all languages in one index, recall@20 is at least .90 and P@1 at least .80', () => {
    expect(pooled.recall20).toBeGreaterThanOrEqual(0.9);
    expect(pooled.p1).toBeGreaterThanOrEqual(0.8);
  });
});

describe('conversations, in six languages', () => {
  test('a history raises the R@1 of 54 follow-ups by at least .25, to at least .8, with p < .001 by the sign test', () => {
    const { questions, alone, history } = conversations.rows['follow-ups']!;
    expect(questions).toBe(54);
    expect(history.r1).toBeGreaterThanOrEqual(0.8);
    expect(history.r1 - alone.r1).toBeGreaterThanOrEqual(0.25);
    expect(history.r5).toBeGreaterThanOrEqual(0.95);
    expect(conversations.followUps.p).toBeLessThan(0.001);
  });

  test('standalone questions lose at most .04 of R@1 with an unrelated history', () => {
    for (const kind of ['switch', 'keywords', 'set question']) {
      const { alone, history } = conversations.rows[kind]!;
      expect(history.r1, kind).toBeGreaterThanOrEqual(alone.r1 - 0.04);
    }
  });

  test('an unrelated history does not raise the share of unanswerable questions that count as answered', () => {
    const { alone, history } = conversations.rows.unanswerable!;
    expect(history.answered).toBeLessThanOrEqual(alone.answered + 0.02);
  });
});
