import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createApp } from '../../functions/search/app.ts';
import { currentIndex } from '../../functions/search/current-index.ts';
import type { App } from '../../functions/search/http.ts';
import type { Answer } from '../../index/search/answer.ts';
import { openModel, openSearch, searchStore } from '../../index/search/index-search.ts';
import { publish } from '../../index/store/s3vectors/publish/publish.ts';
import { writeEditions } from '../fixtures/editions.ts';
import { smallModel, temporaryFolder } from '../fixtures/index.ts';
import { type S3Vectors, startS3Vectors } from '../fixtures/s3-vectors.ts';
import type { FaultKind } from '../fixtures/service-faults.ts';
import { post, request } from '../functions/search/ask.ts';

const KINDS: FaultKind[] = ['throttle', '500', '503', 'cut', 'lost-answer', 'half-answer', 'slow'];
const BUCKET = 'search-faults';
const ADDRESS = `s3vectors://${BUCKET}`;
/** A filter and a context, so that a search makes calls of every kind. */
const QUESTION = { q: 'word3 number 10', k: 5, filter: { even: true }, context: 1 };
const OTHER = { q: 'word5 number 12', k: 5 };
/** Attempts of a call. */
const ATTEMPTS = 4;

describe('A search in S3 Vectors', () => {
  const folder = temporaryFolder();
  const small = smallModel();
  let aws: S3Vectors;
  let model: Awaited<ReturnType<typeof openModel>>;
  /** The answers without faults, and the calls of the first request. */
  let right: { answer: object; other: object; calls: number };
  let index: string;

  beforeAll(async () => {
    aws = await startS3Vectors();
    for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
    index = writeEditions(folder).second;
    await aws.createIndex(BUCKET, 'passages', small.model.dimensions);
    await publish(join(folder, 'first'), { bucket: BUCKET, name: 'passages' });
    await publish(index, { bucket: BUCKET, name: 'passages' });
    model = await openModel(small.dir, false);
    const before = aws.calls.length;
    const app = open();
    const answer = await answerOf(await ask(app, QUESTION));
    right = { answer, calls: aws.calls.length - before, other: await answerOf(await ask(app, OTHER)) };
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await aws?.stop();
  });

  /** A function that has just started. */
  const open = (timeout?: number): App =>
    createApp(
      currentIndex(ADDRESS, async (store) => searchStore(store, ADDRESS, model), timeout),
      { log: () => {} },
    );

  const ask = (app: App, question: object) => request(app, '/search', post(question));

  async function answerOf(response: Response): Promise<object> {
    expect(response.status).toBe(200);
    const { took: _, ...answer } = (await response.json()) as Answer;
    return answer;
  }

  /** Fails unless a response is the right answer, or says that the index cannot be read now. */
  async function checkResponse(response: Response, answer: object): Promise<boolean> {
    if (response.status !== 503) expect(await answerOf(response)).toEqual(answer);
    else {
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await response.json()).toMatchObject({ status: 503, detail: expect.stringMatching(/\w.*\.$/) });
    }
    return response.status === 503;
  }

  test.each([-3, 3])('has the same results if the clock of AWS differs by %i days', async (days) => {
    aws.ahead = days * 86_400_000;
    try {
      expect(await answerOf(await ask(open(), QUESTION))).toEqual(right.answer);
    } finally {
      aws.ahead = 0;
    }
  });

  test('has the results of the same index in a bundle', async () => {
    const search = await openSearch({ index, model, verify: true });
    const { results, verdict } = await search.search({ ...QUESTION, mode: 'hybrid' });
    search.close();
    const answer = right.answer as Answer;
    expect(answer.verdict).toBe(verdict);
    expect(answer.results.map(({ id, text }) => [id, text])).toEqual(
      results.map(({ id, text }) => [id, text]),
    );
    for (const [i, { score }] of answer.results.entries())
      expect(Math.abs(score - results[i]!.score)).toBeLessThan(0.01);
    expect(right.calls).toBeGreaterThanOrEqual(7);
  });

  test.each(KINDS)('is right in spite of a fault at any call (%s)', async (kind) => {
    for (let nth = 1; nth <= right.calls; nth++) {
      const remove = aws.fault({ kind, nth });
      const response = await ask(open(), QUESTION);
      expect(await answerOf(response), `call ${nth}`).toEqual(right.answer);
      expect(remove()).toBe(1);
    }
  });

  test.each(KINDS)('is right if every call fails once (%s)', async (kind) => {
    const remove = aws.fault({ kind, firstAttempts: true });
    expect(await answerOf(await ask(open(), QUESTION))).toEqual(right.answer);
    expect(remove()).toBeGreaterThanOrEqual(right.calls - 1);
  });

  test.each<FaultKind>(['throttle', '500', 'lost-answer', 'half-answer'])(
    'answers 503 after a bounded number of attempts if faults do not end, and the next search is right (%s)',
    async (kind) => {
      let unavailable = 0;
      for (let nth = 1; nth <= right.calls; nth++) {
        const app = open();
        const remove = aws.fault({ kind, nth, times: Number.POSITIVE_INFINITY });
        if (await checkResponse(await ask(app, QUESTION), right.answer)) unavailable++;
        // The calls that run at the same time, once more for a lookup that was read ahead.
        expect(remove(), `call ${nth}`).toBeLessThanOrEqual(2 * right.calls * ATTEMPTS);
        expect(await answerOf(await ask(app, OTHER)), `after call ${nth}`).toEqual(right.other);
      }
      expect(unavailable).toBeGreaterThanOrEqual(right.calls - 1);
    },
  );

  test('answers 503 within its deadline if a call gets no answer, and the next search is right', async () => {
    const timeout = 3;
    for (let nth = 1; nth <= right.calls; nth++) {
      const app = open(timeout);
      const remove = aws.fault({ kind: 'slow', nth, times: Number.POSITIVE_INFINITY, delay: 3_600_000 });
      const start = performance.now();
      await checkResponse(await ask(app, QUESTION), right.answer);
      expect(performance.now() - start, `call ${nth}`).toBeLessThan(timeout * 1000);
      expect(remove(), `call ${nth}`).toBeLessThanOrEqual(2 * right.calls * ATTEMPTS);
      await checkResponse(await ask(open(), OTHER), right.other);
    }
  });
});
