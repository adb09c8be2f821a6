import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageFunction } from '../../functions/package/package-function.ts';
import type { Answer } from '../../index/search/answer.ts';
import { buildTopics, temporaryFolder } from '../fixtures/index.ts';
import { HTTP_API, httpEvent } from '../fixtures/lambda-events.ts';
import { type Invocation, LambdaRuntime } from '../fixtures/lambda-runtime.ts';
import { missingTools } from '../fixtures/tools.ts';

const ENVIRONMENTS = 10;
const QUESTIONS = ['How often does the light of the Korvane lighthouse flash?', 'Who built the bridge?'];

const folder = temporaryFolder();

describe.skipIf(missingTools('Node 24', 'aws-lambda-ric'))('many environments of one function', () => {
  // Their starts share the processors of this machine, which Lambda's do not.
  const limits = { initLimitMs: 120_000, memoryIntervalMs: 1000, readOnly: false };
  const packaged = join(folder, 'function');
  const environments = Array.from(
    { length: ENVIRONMENTS },
    () => new LambdaRuntime({ folder: packaged, ...limits }),
  );

  beforeAll(async () => {
    await buildTopics(join(folder, 'index'), ['en']);
    await packageFunction(join(folder, 'index'), packaged);
  });
  afterAll(() => Promise.all(environments.map((environment) => environment.close())));

  const ask = (environment: LambdaRuntime, q: string) =>
    environment.invoke(httpEvent(HTTP_API, { path: `/search?${new URLSearchParams({ q })}` }));

  /** The answer of an invocation, without its times. */
  function answerOf({ payload, functionError }: Invocation): Omit<Answer, 'took'> {
    expect(functionError).toBeUndefined();
    const { statusCode, body } = payload as { statusCode: number; body: string };
    expect(statusCode).toBe(200);
    const { took: _, ...answer } = JSON.parse(body) as Answer;
    return answer;
  }

  test('all start at once, and give equal answers', async () => {
    const answers = await Promise.all(environments.map((environment) => ask(environment, QUESTIONS[0]!)));
    const [first, ...others] = answers.map(answerOf);
    expect(first!.results.length).toBeGreaterThan(0);
    for (const other of others) expect(other).toEqual(first);
  });

  test('each answers its own questions while the others answer theirs', async () => {
    const asked = environments.flatMap((environment, i) =>
      QUESTIONS.map((_, j) => ({ environment, q: QUESTIONS[(i + j) % QUESTIONS.length]! })),
    );
    const answers = await Promise.all(asked.map(({ environment, q }) => ask(environment, q)));
    const expected = new Map<string, Omit<Answer, 'took'>>();
    for (const q of QUESTIONS) expected.set(q, answerOf(await ask(environments[0]!, q)));
    expect(answers.map(answerOf)).toEqual(asked.map(({ q }) => expected.get(q)));
  });
});
