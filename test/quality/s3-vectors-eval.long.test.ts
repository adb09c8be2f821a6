import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ParallelEmbedder } from '../../index/embedding/parallel.ts';
import { readSet } from '../../index/evaluate/set.ts';
import { buildIndex, tokenCounter } from '../../index/ingest/build.ts';
import { DEFAULT_CACHE } from '../../index/ingest/build-from-sources.ts';
import { Cache } from '../../index/ingest/cache/cache.ts';
import { openLocal } from '../../index/ingest/open-local.ts';
import { readDocuments } from '../../index/ingest/sources/open-sources.ts';
import type { Answer, Search } from '../../index/search/answer.ts';
import { publish } from '../../index/store/s3vectors/publish/publish.ts';
import { defaultModel, root, temporaryFolder } from '../fixtures/index.ts';
import { type S3Vectors, startS3Vectors } from '../fixtures/s3-vectors.ts';
import { shared } from '../fixtures/shared.ts';

const LANGUAGES = ['en', 'de', 'zh', 'ar'];
/** Each question takes some 100 ms in S3Mock. Of 1,190 questions a language, 149 are asked. */
const EVERY = 8;
const BUCKET = 'xquad-r';

const xquad = shared('eval/xquad-r');
const isMissing = xquad.missing;

describe.skipIf(isMissing)('XQuAD-R in S3 Vectors and in a bundle', () => {
  const folder = temporaryFolder();
  let aws: S3Vectors;
  const answers: { relevant: readonly string[]; bundle: Answer; s3Vectors: Answer }[] = [];

  beforeAll(async () => {
    aws = await startS3Vectors();
    for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
    const { dir } = defaultModel();
    const embedder = new ParallelEmbedder(dir);
    const cache = new Cache(join(root, DEFAULT_CACHE));
    try {
      for (const lang of LANGUAGES) {
        const set = join(xquad.path, lang);
        const documents = readDocuments([join(set, 'passages.jsonl.gz')]);
        await buildIndex(documents, join(folder, lang), embedder, tokenCounter(dir), { cache });
        const name = `set-${lang}`;
        await aws.createIndex(BUCKET, name);
        await publish(join(folder, lang), { bucket: BUCKET, name });
        const bundle = await openLocal(join(folder, lang));
        const s3Vectors = await openLocal(`s3vectors://${BUCKET}/${name}`);
        const { queries } = await readSet(set);
        for (const { text, relevant } of queries.filter((_, i) => i % EVERY === 0)) {
          const ask = (search: Search) => search.search({ q: text, k: 10, mode: 'hybrid' });
          answers.push({ relevant, bundle: await ask(bundle), s3Vectors: await ask(s3Vectors) });
        }
        bundle.close();
        s3Vectors.close();
      }
    } finally {
      embedder.close();
      cache.close();
    }
  }, 1_800_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await aws?.stop();
  });

  const r1 = (store: 'bundle' | 's3Vectors') =>
    answers.filter(({ relevant, [store]: { results } }) => relevant.includes(results[0]!.id)).length /
    answers.length;

  test('R@1 differs by at most .005, and verdicts in at most 1 % of the questions', () => {
    const differing = answers.filter(({ bundle, s3Vectors }) => bundle.verdict !== s3Vectors.verdict).length;
    const figures = {
      questions: answers.length,
      bundle: r1('bundle'),
      s3Vectors: r1('s3Vectors'),
      differing,
    };
    expect(figures.questions, JSON.stringify(figures)).toBe(596);
    expect(figures.bundle, JSON.stringify(figures)).toBeGreaterThan(0.9);
    expect(Math.abs(figures.bundle - figures.s3Vectors), JSON.stringify(figures)).toBeLessThanOrEqual(0.005);
    expect(differing, JSON.stringify(figures)).toBeLessThanOrEqual(0.01 * answers.length);
  });

  test('at least 98 % of the ten best results are the same', () => {
    const same = answers.map(({ bundle, s3Vectors }) => {
      const ids = new Set(bundle.results.map(({ id }) => id));
      return s3Vectors.results.filter(({ id }) => ids.has(id)).length / ids.size;
    });
    expect(same.reduce((sum, one) => sum + one, 0) / same.length).toBeGreaterThanOrEqual(0.98);
  });
});
