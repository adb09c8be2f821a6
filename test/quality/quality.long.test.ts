import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoize } from '../../index/embedding/memoize.ts';
import { ParallelEmbedder } from '../../index/embedding/parallel.ts';
import {
  evaluateCross,
  evaluatePooled,
  evaluateSet,
  meanScores,
  type PooledScores,
  type SetScores,
} from '../../index/evaluate/evaluate.ts';
import { type EvaluationSet, readSet } from '../../index/evaluate/set.ts';
import type { Builder } from '../../index/evaluate/temporary-index.ts';
import { tokenCounter } from '../../index/ingest/build.ts';
import type { Mode } from '../../index/search/answer.ts';
import { defaultModel, setFolder } from '../fixtures/index.ts';
import { shared } from '../fixtures/shared.ts';

// Thresholds are slightly below the measurements. A regression fails, but another processor does not.

const { dir } = defaultModel();
let parallel: ParallelEmbedder;
/** The options of evaluation in each mode. All modes share the vectors. */
let builders: Record<Mode, Builder>;

beforeAll(() => {
  parallel = new ParallelEmbedder(dir);
  const common = { embedder: memoize(parallel), countTokens: tokenCounter(dir) };
  builders = {
    hybrid: { ...common, mode: 'hybrid' },
    semantic: { ...common, mode: 'semantic' },
    lexical: { ...common, mode: 'lexical' },
  };
});
afterAll(() => parallel.close());

async function evaluateSets(mode: Mode, sets: EvaluationSet[]): Promise<SetScores> {
  const scores: SetScores[] = [];
  for (const set of sets) scores.push(await evaluateSet(builders[mode], set));
  return meanScores(scores);
}

describe("the project's own sets, in six languages", () => {
  let sets: EvaluationSet[];
  let mono: SetScores;
  let pooled: PooledScores;

  beforeAll(async () => {
    sets = await Promise.all(['ar', 'de', 'en', 'fr', 'hi', 'zh'].map((lang) => readSet(setFolder(lang))));
    mono = await evaluateSets('hybrid', sets);
    pooled = await evaluatePooled(builders.hybrid, sets);
  });

  test('across 30 pairs of languages, mean R@1 is at least .77 and R@5 at least .96', async () => {
    const { r1, r5 } = meanScores(Object.values(await evaluateCross(builders.hybrid, sets)));
    expect(r1).toBeGreaterThanOrEqual(0.77);
    expect(r5).toBeGreaterThanOrEqual(0.96);
  });

  test('hybrid R@1 exceeds lexical R@1 by at least .2', async () => {
    expect(mono.r1 - (await evaluateSets('lexical', sets)).r1).toBeGreaterThanOrEqual(0.2);
    expect(pooled.p1 - (await evaluatePooled(builders.lexical, sets)).p1).toBeGreaterThanOrEqual(0.2);
  });

  // Half of these questions avoid the words of their passage, so lexical scores can only mislead.
  test('hybrid loses less than .03 of R@1 to semantic, and less than .03 of P@1 in one index', async () => {
    expect(mono.r1 - (await evaluateSets('semantic', sets)).r1).toBeGreaterThan(-0.03);
    expect(pooled.p1 - (await evaluatePooled(builders.semantic, sets)).p1).toBeGreaterThan(-0.03);
  });
});

const xquad = shared('eval/xquad-r');

describe.each(['en', 'zh'])('XQuAD-R in %s', (lang) => {
  test.skipIf(xquad.missing)(
    'has R@1 of at least .95, higher than semantic alone, and AUROC of at least .98',
    { timeout: 300_000 },
    async () => {
      const sets = [await readSet(join(xquad.path, lang))];
      const hybrid = await evaluateSets('hybrid', sets);
      expect(hybrid.r1).toBeGreaterThanOrEqual(0.95);
      expect(hybrid.auroc).toBeGreaterThanOrEqual(0.98);
      expect(hybrid.r1).toBeGreaterThan((await evaluateSets('semantic', sets)).r1);
    },
  );
});
