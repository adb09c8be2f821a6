import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../functions/search/auth.ts';
import { POLYSEEK } from '../fixtures/bundle-cli.ts';
import { buildTopics, root, smallModel, temporaryFolder, topicsIndex } from '../fixtures/index.ts';
import { connectOver, type Found, REVISIONS, structured, TOOLS, textOf } from '../fixtures/mcp.ts';
import { command, finished, startServer } from '../fixtures/processes.ts';
import { missingTools, tools } from '../fixtures/tools.ts';

const QUESTIONS = [
  'How often does the light of the Korvane lighthouse flash?',
  'Which film won the main prize at the film festival?',
];
const KEY = 'ps_key';

const folder = temporaryFolder();
let index: string;
let endpoint: Awaited<ReturnType<typeof startServer>>;

beforeAll(async () => {
  index = await topicsIndex(['en']);
  endpoint = await startServer(index, { API_KEYS: JSON.stringify({ bot: digestOf(KEY).toString('hex') }) });
});
afterAll(() => endpoint.stop());

const serve = (...args: string[]) => [POLYSEEK, 'mcp', ...args];

/** Connects the official client for TypeScript to a new server process. */
function connectTo(args: string[], revision: string = REVISIONS[0], env: Record<string, string> = {}) {
  const path = process.env.PATH ?? '';
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: serve(...args),
    cwd: root,
    env: { PATH: path, ...env },
    stderr: 'ignore',
  });
  return connectOver(transport, revision);
}

/** The ids of a question's results over HTTP. */
async function expected(q: string): Promise<string[]> {
  const headers = { 'x-api-key': KEY };
  const response = await fetch(`${endpoint.url}/search?${new URLSearchParams({ q })}`, { headers });
  const { results } = (await response.json()) as Found;
  return results.map(({ id }) => id);
}

/** Starts the server for messages that a test writes itself. Returns each line of its output. */
function start(args: string[]): { child: ChildProcessWithoutNullStreams; lines: AsyncIterator<string> } {
  const child = spawn(process.execPath, serve(...args), { cwd: root });
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
};
const call = (id: number, query: string) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: 'search', arguments: { query, k: 1 } },
});

describe('over a local index', () => {
  test.each(REVISIONS)(
    'the client for TypeScript, revision %s, gets what HTTP clients get',
    async (revision) => {
      const client = await connectTo(['--index', index], revision);
      expect(client.getNegotiatedProtocolVersion()).toBe(revision);
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(TOOLS);
      for (const [i, query] of QUESTIONS.entries()) {
        const found = structured(await client.callTool({ name: 'search', arguments: { query } }));
        expect(found.results.map(({ id }) => id)).toEqual(await expected(query));
        expect(found.answered).toBe(i === 0);
        // Without an endpoint, the document is what can be cited.
        for (const { url, source } of found.results) expect(url).toBe(source);
      }
      const [first] = structured(
        await client.callTool({ name: 'search', arguments: { query: QUESTIONS[0] } }),
      ).results;
      const read = await client.callTool({ name: 'fetch', arguments: { id: first!.id } });
      expect(structured<{ text: string }>(read).text).toContain(first!.text);
      const wrong = await client.callTool({ name: 'fetch', arguments: { id: 'nothing' } });
      expect([wrong.isError, textOf(wrong)]).toEqual([
        true,
        expect.stringContaining('No passage has this id'),
      ]);
      await client.close();
    },
  );

  describe.skipIf(missingTools('mcp for Python'))('the client for Python', () => {
    test.each(['auto', 'legacy'])('in the mode %s', async (mode) => {
      const server = JSON.stringify([process.execPath, ...serve('--index', index)]);
      const args = [join(root, 'test/fixtures/mcp_client.py'), server, mode, ...QUESTIONS];
      const env = { PATH: process.env.PATH };
      const { code, stdout } = await finished(spawn(tools['mcp for Python'], args, { env, cwd: root }));
      expect(code).toBe(0);
      const { found } = JSON.parse(stdout) as { found: Found[] };
      expect(found.map(({ results }) => results.map(({ id }) => id))).toEqual(
        await Promise.all(QUESTIONS.map(expected)),
      );
    });
  });

  test('prints only the protocol, uses a rebuilt index, and ends with its input', async () => {
    const rebuilt = join(folder, 'rebuilt');
    await buildTopics(rebuilt, ['zh'], smallModel().dir);
    const { child, lines } = start(['--index', rebuilt]);
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    const ask = async (message: object) => {
      child.stdin.write(`${JSON.stringify(message)}\n`);
      const line: string = (await lines.next()).value;
      return JSON.parse(line) as { id: number; result: { structuredContent?: Found } };
    };
    expect(await ask(initialize)).toMatchObject({ id: 1, result: { serverInfo: { name: 'polyseek' } } });
    const before = await ask(call(2, QUESTIONS[0]!));
    expect(before.result.structuredContent!.results[0]!.lang).toBe('zh');
    await buildTopics(rebuilt, ['en'], smallModel().dir);
    const after = await ask(call(3, QUESTIONS[0]!));
    expect(after.result.structuredContent!.results[0]!.lang).toBe('en');
    child.stdin.end();
    expect(await once(child, 'close')).toEqual([0, null]);
    expect((await lines.next()).done).toBe(true);
    expect(errors).toMatch(/^polyseek: searching \d+ passages of .*\npolyseek: The index was replaced\./);
  });

  test('a missing index ends the command, with the fix', async () => {
    const missing = join(folder, 'missing');
    const { code, stdout, stderr } = await command('mcp', ['--index', missing]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `There is no index in ${missing}. Build one with npx polyseek index PATH --index ${missing}.\n`,
    );
  });
});

describe('over an endpoint', () => {
  const remote = () => ['--url', endpoint.url];

  test('the client gets the same, and addresses of the endpoint', async () => {
    const client = await connectTo(remote(), REVISIONS[0], { POLYSEEK_API_KEY: KEY });
    const found = structured(await client.callTool({ name: 'search', arguments: { query: QUESTIONS[0] } }));
    expect(found.results.map(({ id }) => id)).toEqual(await expected(QUESTIONS[0]!));
    const [{ id, url }] = found.results as [Found['results'][0]];
    expect(url).toBe(`${endpoint.url}/passages/${encodeURIComponent(id)}`);
    const read = await client.callTool({ name: 'fetch', arguments: { id } });
    expect(structured<{ id: string }>(read).id).toBe(id);
    await client.close();
  });

  test('a refusal is the result of the tool', async () => {
    const client = await connectTo([...remote(), '--key', 'ps_other']);
    const refused = await client.callTool({ name: 'search', arguments: { query: 'x' } });
    expect([refused.isError, textOf(refused)]).toEqual([
      true,
      expect.stringContaining('API key is not valid'),
    ]);
    await client.close();
  });

  test('both an index and an endpoint are an error of usage', async () => {
    const { code, stderr } = await command('mcp', [...remote(), '--index', index]);
    expect([code, stderr]).toEqual([2, '--url and --index exclude each other. Use one of them.\n']);
  });

  test('a flag for an index wins over the environment', async () => {
    const client = await connectTo(['--index', index], REVISIONS[0], { POLYSEEK_URL: 'http://127.0.0.1:9' });
    const found = structured(await client.callTool({ name: 'search', arguments: { query: QUESTIONS[0] } }));
    expect(found.answered).toBe(true);
    await client.close();
  });

  test('a wrong URL is an error of usage', async () => {
    const { code, stderr } = await command('mcp', ['--url', 'search.example.com']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('--url must start with http:// or https://.'),
    ]);
  });
});
