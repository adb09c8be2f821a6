import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../../index/search/answer.ts';
import { deployedFolder } from '../fixtures/cdk.ts';
import { temporaryFolder, topicsIndex } from '../fixtures/index.ts';
import { FUNCTION_URL, HTTP_API, httpEvent } from '../fixtures/lambda-events.ts';
import type { LambdaOptions } from '../fixtures/lambda-process.ts';
import { type Invocation, LambdaRuntime, report } from '../fixtures/lambda-runtime.ts';
import { endTrace } from '../fixtures/lambda-trace.ts';
import { startServer } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

const folder = temporaryFolder();

const QUESTIONS = [
  'How often does the light of the Korvane lighthouse flash?',
  '科尔瓦内灯塔有多高？',
  'Wer hat die Brücke gebaut?',
];
/** A question close to the token limit. */
const LONG = 'How often does the light of the lighthouse flash? '.repeat(22);
/** An event with an MCP message that searches. */
const mcpEvent = (query: string) =>
  httpEvent(HTTP_API, {
    method: 'POST',
    path: '/mcp',
    headers: { accept: 'application/json, text/event-stream' },
    body: {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'search', arguments: { query, k: 100 } },
    },
  });
const searchPath = (q: string) =>
  `/search?${new URLSearchParams({ q, k: '5', explain: 'true', context: '1' })}`;

/** An answer without its times. */
function comparable({ took: _, ...answer }: Answer): Omit<Answer, 'took'> {
  return answer;
}

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric', 'strace'))(
  "the function under AWS's runtime client",
  () => {
    let packaged: string;
    let server: Awaited<ReturnType<typeof startServer>>;
    const runtimes: LambdaRuntime[] = [];

    beforeAll(async () => {
      const index = await topicsIndex(['en', 'zh'], 'default');
      packaged = await deployedFolder(index, folder, 'x86_64');
      server = await startServer(index);
    });
    afterEach(() => Promise.all(runtimes.splice(0).map((runtime) => runtime.close())));
    afterAll(() => server.stop());

    function start(options: Partial<LambdaOptions> = {}): LambdaRuntime {
      const runtime = new LambdaRuntime({ folder: packaged, ...options });
      runtimes.push(runtime);
      return runtime;
    }

    async function fetched(path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
      const post = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      };
      const response = await fetch(server.url + path, body === undefined ? {} : post);
      return { status: response.status, json: await response.json() };
    }

    const ask = async (path: string, body?: unknown) =>
      comparable((await fetched(path, body)).json as Answer);

    /** The HTTP answer of an invocation. */
    function answered({ payload, functionError }: Invocation): { status: number; json: unknown } {
      expect(functionError).toBeUndefined();
      const { statusCode, body } = payload as { statusCode: number; body: string };
      return { status: statusCode, json: JSON.parse(body) };
    }

    test.each([
      ['an HTTP API', HTTP_API],
      ['a Function URL', FUNCTION_URL],
    ])('answers events of %s like the local server', async (_, domain) => {
      const runtime = start();
      for (const question of [...QUESTIONS, LONG]) {
        const { status, json } = answered(
          await runtime.invoke(httpEvent(domain, { path: searchPath(question) })),
        );
        expect(status).toBe(200);
        expect(comparable(json as Answer)).toEqual(await ask(searchPath(question)));
      }
      for (const base64 of [false, true]) {
        const body = { q: QUESTIONS[1], k: 3, lang: ['zh'] };
        const event = httpEvent(domain, { method: 'POST', path: '/search', body, base64 });
        const { json } = answered(await runtime.invoke(event));
        expect((json as Answer).q).toBe(QUESTIONS[1]);
        expect(comparable(json as Answer)).toEqual(await ask('/search', body));
      }
      for (const path of ['/search?q=', '/nothing']) {
        const { instance: _, ...problem } = (await fetched(path)).json as Record<string, unknown>;
        const { status, json } = answered(await runtime.invoke(httpEvent(domain, { path })));
        expect(status).toBe(problem.status);
        expect(json).toMatchObject({ title: problem.title, detail: problem.detail });
      }
    });

    test('returns the answer itself for a direct event, and a function error for an invalid one', async () => {
      const runtime = start();
      for (const q of QUESTIONS) {
        const { payload, functionError } = await runtime.invoke({ q, k: 4 });
        expect(functionError).toBeUndefined();
        expect(comparable(payload as Answer)).toEqual(await ask('/search', { q, k: 4 }));
      }
      const wrong = { q: QUESTIONS[0], k: 0 };
      const { payload, functionError, log } = await runtime.invoke({ ...wrong, mode: 'private' });
      expect(functionError).toBe('Unhandled');
      const errorMessage =
        'k is a number, but must be a whole number from 1 to 100. mode is a text, but must be one of hybrid, semantic, lexical.';
      expect(payload).toMatchObject({ errorMessage });
      // Lambda logs the message.
      expect(log).toContain(errorMessage);
      expect(log).not.toContain('private');
    });

    test('starts once, with a report in the format of Lambda', async () => {
      const runtime = start();
      const [cold, warm] = [await runtime.invoke({ q: QUESTIONS[0] }), await runtime.invoke({ q: LONG })];
      expect(report(cold)).toEqual({
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        type: 'platform.report',
        record: {
          requestId: expect.any(String),
          status: 'success',
          metrics: {
            durationMs: expect.any(Number),
            billedDurationMs: expect.any(Number),
            initDurationMs: expect.any(Number),
            memorySizeMB: 1769,
            maxMemoryUsedMB: expect.any(Number),
          },
        },
      });
      expect(report(warm).record.metrics).not.toHaveProperty('initDurationMs');
      expect(report(warm).record.requestId).not.toBe(report(cold).record.requestId);
      expect(cold.log).toContain(report(cold).record.requestId);
    });

    test('runs within 256 MB', async () => {
      const runtime = start({ memoryMb: 256 });
      for (const q of [...QUESTIONS, LONG]) {
        const invocation = await runtime.invoke({ q, k: 100, context: 5, explain: true });
        expect(report(invocation).record).toMatchObject({
          status: 'success',
          metrics: { memorySizeMB: 256 },
        });
      }
      const openapi = await runtime.invoke(httpEvent(HTTP_API, { path: '/openapi.json' }));
      expect(answered(openapi).status).toBe(200);
      const { status, json } = answered(await runtime.invoke(mcpEvent(LONG)));
      expect(status).toBe(200);
      expect(json).toMatchObject({ result: { structuredContent: { results: expect.any(Array) } } });
    });

    test('is killed if it exceeds its memory', async () => {
      const invocation = await start({ memoryMb: 64 }).invoke({ q: QUESTIONS[0] });
      expect(invocation.functionError).toBe('Unhandled');
      expect(invocation.payload).toEqual({
        errorType: 'Runtime.OutOfMemory',
        errorMessage: expect.stringMatching(
          /^RequestId: [\da-f-]{36} Error: Runtime exited with error: signal: killed$/,
        ),
      });
      expect(report(invocation).record.status).toBe('failure');
    });

    test('answers the next question in a new process after a timeout', async () => {
      const runtime = start({ timeoutMs: 3000 });
      expect((await runtime.invoke({ q: QUESTIONS[0] })).functionError).toBeUndefined();
      const { pid } = runtime.process!;
      // A stopped process cannot answer within any timeout.
      process.kill(pid, 'SIGSTOP');
      const invocation = await runtime.invoke({ q: LONG });
      expect(invocation.functionError).toBe('Unhandled');
      expect(invocation.payload).toEqual({
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringMatching(
          /^RequestId: [\da-f-]{36} Error: Task timed out after 3\.00 seconds$/,
        ),
      });
      expect(report(invocation).record.status).toBe('timeout');
      expect(existsSync(`/proc/${pid}`)).toBe(false);
      const next = await runtime.invoke({ q: QUESTIONS[0], k: 4 });
      expect(comparable(next.payload as Answer)).toEqual(await ask('/search', { q: QUESTIONS[0], k: 4 }));
      expect(report(next).record.metrics).toHaveProperty('initDurationMs');
      expect(runtime.process!.pid).not.toBe(pid);
    });

    test('logs in a sentence why it cannot open its index', async () => {
      const none = join(folder, 'none');
      mkdirSync(none);
      const env = { INDEX_DIR: none };
      const invocation = await start({ env }).invoke({ q: QUESTIONS[0] });
      expect(invocation.functionError).toBe('Unhandled');
      expect(invocation.payload).toMatchObject({
        errorMessage: expect.stringMatching(/^The search failed\. The log contains the cause under request /),
      });
      expect(invocation.log).toContain('none is not an index: it has no manifest.json. Build one with');
      expect(report(invocation).record.status).toBe('error');
    });

    test('opens no file for writing, starts no program and connects only to the runtime', async () => {
      const file = join(folder, 'trace');
      const runtime = start({ trace: file });
      const requests = [
        { path: searchPath(QUESTIONS[0]!) },
        { path: '/openapi.json' },
        { path: '/nothing' },
      ].map((request) => httpEvent(HTTP_API, request));
      const events = [...requests, mcpEvent(QUESTIONS[0]!), { q: QUESTIONS[1] }, { q: '' }];
      for (const event of events) await runtime.invoke(event);
      const trace = await endTrace(runtime, file);
      expect(trace.opened).toContain(join(packaged, 'model/encoder.bin'));
      expect(trace.opened).toContainEqual(expect.stringMatching(/\/mcp-\w+\.mjs$/));
      expect(trace.writes).toEqual([]);
      expect(trace.peers).toEqual([trace.api]);
    });
  },
);
