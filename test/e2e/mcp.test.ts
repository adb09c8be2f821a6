import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../functions/search/auth.ts';
import type { Answer } from '../../index/search/answer.ts';
import { startHttpApi } from '../fixtures/http-api.ts';
import { root, temporaryFolder, topicsFunction, topicsIndex } from '../fixtures/index.ts';
import { HTTP_API } from '../fixtures/lambda-events.ts';
import { LambdaRuntime } from '../fixtures/lambda-runtime.ts';
import { connect, type Found, REVISIONS, structured, TOOLS, textOf } from '../fixtures/mcp.ts';
import { finished, startServer } from '../fixtures/processes.ts';
import { missingTools, tools } from '../fixtures/tools.ts';

const QUESTIONS = [
  'How often does the light of the Korvane lighthouse flash?',
  '科尔万灯塔建于1871年吗？',
  'Which film won the main prize at the film festival?',
];

/** Origins whose pages may call. */
const LISTED = ['https://one.example', 'https://app.example'];

let server: Awaited<ReturnType<typeof startServer>>;

beforeAll(async () => {
  const index = await topicsIndex(['en', 'zh']);
  vi.stubEnv('CORS_ORIGINS', LISTED.join());
  server = await startServer(index);
  vi.unstubAllEnvs();
});
afterAll(() => server.stop());

/** The results of a question over HTTP, limited to the fields of the tool `search`. */
async function expected(q: string): Promise<{ answered: boolean; ids: string[] }> {
  const answer = (await (await fetch(`${server.url}/search?${new URLSearchParams({ q })}`)).json()) as Answer;
  return {
    answered: answer.answered,
    ids: answer.results.map(({ id }) => id),
  };
}

const given = ({ answered, results }: Found) => ({
  answered,
  ids: results.map(({ id }) => id),
});

/** Requests the tools like a page of an origin. */
async function fromPage(url: string, origin: string, headers: Record<string, string> = {}): Promise<number> {
  const accept = 'application/json, text/event-stream';
  const { status } = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, origin, ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
  return status;
}

/** Modes of the client for Python, and the revisions that they negotiate. */
const MODES: [mode: string, revision: string][] = [
  ['auto', '2026-07-28'],
  ['2026-07-28', '2026-07-28'],
  ['legacy', '2025-11-25'],
];

/** Tests the official clients on an endpoint, with or without a key. */
function answersClients(endpoint: () => { url: string; key?: string }, modes = MODES): void {
  test.each(REVISIONS)('the client for TypeScript, revision %s', async (revision) => {
    const { url, key } = endpoint();
    const requestInit = key ? { headers: { authorization: `Bearer ${key}` } } : {};
    const client = await connect(`${url}/mcp`, revision, { requestInit });
    expect(client.getNegotiatedProtocolVersion()).toBe(revision);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(TOOLS);
    // Concurrent calls, as from a model.
    const found = await Promise.all(
      QUESTIONS.map((query) => client.callTool({ name: 'search', arguments: { query } })),
    );
    const searched = found.map((result) => structured(result));
    expect(searched.map(given)).toEqual(await Promise.all(QUESTIONS.map(expected)));
    expect(searched.map(({ answered }) => answered)).toEqual([true, true, false]);
    const [first] = searched[0]!.results;
    const read = await client.callTool({ name: 'fetch', arguments: { id: first!.id } });
    expect(structured<{ text: string }>(read).text).toContain(first!.text);
    const wrong = await client.callTool({ name: 'fetch', arguments: { id: 'nothing' } });
    expect([wrong.isError, textOf(wrong)]).toEqual([true, expect.stringContaining('No passage has this id')]);
    await client.close();
  });

  describe.skipIf(missingTools('mcp for Python'))('the client for Python', () => {
    test.each(modes)('mode %s, revision %s', async (mode, revision) => {
      const { url, key } = endpoint();
      const args = [join(root, 'test/fixtures/mcp_client.py'), `${url}/mcp`, mode, ...QUESTIONS];
      const env = { PATH: process.env.PATH, ...(key && { POLYSEEK_API_KEY: key }) };
      const { code, stdout, stderr } = await finished(spawn(tools['mcp for Python'], args, { env }));
      expect([code, stderr]).toEqual([0, '']);
      const got = JSON.parse(stdout);
      expect(got).toMatchObject({ revision, tools: TOOLS });
      expect(got.found.map(given)).toEqual(await Promise.all(QUESTIONS.map(expected)));
      expect(got.texts.map((texts: string[]) => texts.map((text) => JSON.parse(text)))).toEqual(
        got.found.map((found: Found) => [found]),
      );
      expect(got.fetched.text).toContain(got.found[0].results[0].text);
      expect(got.wrong).toEqual([true, expect.stringContaining('No passage has the field "color"')]);
    });
  });
}

describe('the local server answers', () => {
  answersClients(() => server);

  test('the example', async () => {
    const args = [
      '--import',
      'tsx',
      'functions/web/client/examples/mcp.ts',
      `${server.url}/mcp`,
      QUESTIONS[0]!,
    ];
    const { code, stdout } = await finished(spawn(process.execPath, args, { cwd: root }));
    expect(code).toBe(0);
    const { ids } = await expected(QUESTIONS[0]!);
    expect(given(JSON.parse(stdout)).ids).toEqual(ids.slice(0, 3));
  });

  test('GET with 405, and pages of unlisted origins with 403', async () => {
    expect((await fetch(`${server.url}/mcp`)).status).toBe(405);
    expect(await fromPage(server.url, LISTED[1]!)).toBe(200);
    expect(await fromPage(server.url, 'https://evil.example')).toBe(403);
  });
});

describe.skipIf(missingTools('Node 24', 'aws-lambda-ric'))(
  "the packaged function under AWS's runtime client answers",
  () => {
    const key = 'ps_key';
    let runtime: LambdaRuntime;
    let api: Awaited<ReturnType<typeof startHttpApi>>;

    beforeAll(async () => {
      const apiKeys = { bot: digestOf(key).toString('hex') };
      const env = { API_KEYS: JSON.stringify(apiKeys), CORS_ORIGINS: LISTED.join() };
      runtime = new LambdaRuntime({ folder: await topicsFunction(['en', 'zh']), env });
      api = await startHttpApi(runtime);
    });
    afterAll(async () => {
      await api.stop();
      await runtime.close();
    });

    answersClients(() => ({ url: api.url, key }), MODES.slice(0, 1));

    test('no client without a key', async () => {
      for (const revision of REVISIONS) await expect(connect(`${api.url}/mcp`, revision)).rejects.toThrow();
    });

    test('pages of its own origin and of listed origins only', async () => {
      const headers = { 'x-api-key': key };
      for (const origin of [`https://${HTTP_API}`, ...LISTED]) {
        expect(await fromPage(api.url, origin, headers)).toBe(200);
      }
      expect(await fromPage(api.url, 'https://evil.example', headers)).toBe(403);
    });

    test('with its own addresses', async () => {
      const requestInit = { headers: { 'x-api-key': key } };
      const client = await connect(`${api.url}/mcp`, REVISIONS[0], { requestInit });
      const found = await client.callTool({ name: 'search', arguments: { query: QUESTIONS[0], k: 1 } });
      const [first] = structured(found).results;
      expect(first!.url).toBe(`https://${HTTP_API}/passages/${encodeURIComponent(first!.id)}`);
    });
  },
);

/**
 * Scenarios of the conformance suite for features that this server does not have: prompts, resources, completion, logging
 * and the tools of the suite's reference server.
 */
const NOT_HERE = [
  'completion-complete',
  'elicitation-sep1034-defaults',
  'elicitation-sep1330-enums',
  'json-schema-2020-12',
  'logging-set-level',
  'prompts-get-embedded-resource',
  'prompts-get-simple',
  'prompts-get-with-args',
  'prompts-get-with-image',
  'prompts-list',
  'resources-list',
  'resources-read-binary',
  'resources-read-text',
  'resources-subscribe',
  'resources-templates-read',
  'resources-unsubscribe',
  'tools-call-audio',
  'tools-call-elicitation',
  'tools-call-embedded-resource',
  'tools-call-error',
  'tools-call-image',
  'tools-call-mixed-content',
  'tools-call-sampling',
  'tools-call-simple-text',
  'tools-call-with-logging',
  'tools-call-with-progress',
];

interface Check {
  status: string;
  errorMessage?: string;
}

describe.skipIf(missingTools('Node 24', 'mcp conformance'))("MCP's conformance suite", () => {
  test('passes, except for missing features', async () => {
    const out = join(temporaryFolder(), 'conformance');
    const args = [
      tools['mcp conformance'],
      'server',
      '--url',
      `${server.url}/mcp`,
      '--suite',
      'all',
      '-o',
      out,
    ];
    const { stdout } = await finished(spawn(tools['Node 24'], args));
    const summary = [...stdout.matchAll(/^([✓✗]) ([\w-]+): (\d+) passed, \d+ failed$/gm)].map(
      ([, mark, scenario, passed]) => ({ mark, scenario: scenario!, passed: Number(passed) }),
    );
    const of = (wanted: string) => summary.filter(({ mark }) => mark === wanted);
    expect(Object.fromEntries(of('✓').map(({ scenario, passed }) => [scenario, passed]))).toEqual({
      'server-initialize': 1,
      ping: 1,
      'tools-list': 1,
      'dns-rebinding-protection': 2,
      // These scenarios require a session, and stop with a warning without one.
      'server-sse-polling': 0,
      'server-sse-multiple-streams': 0,
    });
    expect(
      of('✗')
        .map(({ scenario }) => scenario)
        .sort(),
    ).toEqual(NOT_HERE);
    const checks: Check[] = readdirSync(out).flatMap((name) =>
      JSON.parse(readFileSync(join(out, name, 'checks.json'), 'utf8')),
    );
    // Existing features never fail.
    for (const { status, errorMessage } of checks) {
      if (status === 'FAILURE') expect(errorMessage).toMatch(/Method not found|[Tt]ool \S+ not found/);
    }
  });
});
