import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { BedrockAgentRuntimeClient, RetrieveCommand } from '@aws-sdk/client-bedrock-agent-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../functions/search/auth.ts';
import type { Answer } from '../../index/search/answer.ts';
import { startHttpApi } from '../fixtures/http-api.ts';
import { root, temporaryFolder, topicsFunction, topicsIndex, writeRandomIndex } from '../fixtures/index.ts';
import { LambdaRuntime } from '../fixtures/lambda-runtime.ts';
import { finished, startServer } from '../fixtures/processes.ts';
import { missingTools, tools } from '../fixtures/tools.ts';

const apiKey = 'ps_key';
const query = 'How often does the light of the Korvane lighthouse flash?';

let server: Awaited<ReturnType<typeof startServer>>;
let expected: Answer['results'];

beforeAll(async () => {
  const random = join(temporaryFolder(), 'random');
  writeRandomIndex(random, 7);
  const API_KEYS = JSON.stringify({ bot: digestOf(apiKey).toString('hex') });
  server = await startServer(await topicsIndex(['en', 'zh']), { API_KEYS }, ['--collection', `hr=${random}`]);
  const headers = { 'x-api-key': apiKey };
  const response = await fetch(`${server.url}/search?${new URLSearchParams({ q: query })}`, { headers });
  expected = ((await response.json()) as Answer).results;
});
afterAll(() => server?.stop());

describe("OpenAI's client", () => {
  const stores = (key = apiKey) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key }).vectorStores;

  test('searches a vector store', async () => {
    const { data } = await stores().search('default', { query, max_num_results: 3 });
    expect(data.map(({ file_id: id, score, content }) => [id, score, content[0]?.text])).toEqual(
      expected.slice(0, 3).map(({ id, confidence, text }) => [id, confidence, text]),
    );
  });

  test('gets only results above its threshold, and in its filter', async () => {
    const [best] = expected;
    const found = await stores().search('default', {
      query: [query],
      ranking_options: { score_threshold: best!.confidence },
      filters: { type: 'and', filters: [{ type: 'eq', key: 'lang', value: 'en' }] },
    });
    expect(found.data.map(({ score }) => score)).toEqual([best!.confidence]);
  });

  test('searches a collection', async () => {
    const { data } = await stores().search('hr', { query: 'word1', max_num_results: 50 });
    expect(data).toHaveLength(7);
  });

  test('understands errors', async () => {
    await expect(stores('wrong').search('default', { query })).rejects.toThrow(OpenAI.AuthenticationError);
    await expect(stores().search('none', { query })).rejects.toThrow(OpenAI.NotFoundError);
    await expect(
      stores().search('default', { query, filters: { type: 'gt', key: 'year', value: 2000 } }),
    ).rejects.toThrow('operator "gt" is not supported here');
  });
});

describe("Bedrock's client", () => {
  function client(key: string) {
    const credentials = { accessKeyId: 'none', secretAccessKey: 'none' };
    const client = new BedrockAgentRuntimeClient({
      endpoint: server.url,
      region: 'eu-central-1',
      credentials,
      // HTTP/2, its default, needs https.
      requestHandler: new NodeHttpHandler(),
    });
    client.middlewareStack.add(
      (next) => (args) => {
        Object.assign((args.request as { headers: object }).headers, { 'x-api-key': key });
        return next(args);
      },
      { step: 'build' },
    );
    return client;
  }
  const retrieve = (knowledgeBaseId: string) =>
    new RetrieveCommand({ knowledgeBaseId, retrievalQuery: { text: query } });

  test('retrieves from a knowledge base', async () => {
    const { retrievalResults = [] } = await client(apiKey).send(retrieve('default'));
    expect(retrievalResults.map(({ score, content }) => [score, content?.text])).toEqual(
      expected.slice(0, 5).map(({ confidence, text }) => [confidence, text]),
    );
    expect(retrievalResults[0]).toMatchObject({
      location: { type: 'WEB', webLocation: { url: expect.stringMatching(/^http/) } },
      metadata: { source: expected[0]!.source },
    });
  });

  test('understands errors', async () => {
    await expect(client('wrong').send(retrieve('default'))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    await expect(client(apiKey).send(retrieve('none'))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

test.skipIf(missingTools('mcp for Python'))('the clients for Python', async () => {
  const args = [join(root, 'test/fixtures/contract_clients.py'), server.url, apiKey, query];
  const { code, stdout, stderr } = await finished(spawn(tools['mcp for Python'], args));
  expect([code, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toEqual({
    openai: expected.slice(0, 3).map(({ id, confidence, text }) => [id, confidence, text]),
    refused: 'There is no such collection. GET / lists the collections.',
    bedrock: expected.slice(0, 5).map(({ confidence, text }) => [confidence, text]),
  });
});

test.skipIf(missingTools('Node 24', 'aws-lambda-ric'))(
  "the packaged function answers under AWS's runtime client",
  async () => {
    const runtime = new LambdaRuntime({
      folder: await topicsFunction(['en', 'zh']),
      env: { CONTRACTS: '1' },
    });
    const api = await startHttpApi(runtime);
    try {
      const { vectorStores } = new OpenAI({ baseURL: `${api.url}/v1`, apiKey });
      const { data } = await vectorStores.search('default', { query });
      expect(data.map(({ score }) => score)).toEqual(expected.map(({ confidence }) => confidence));
      const parameters = [{ name: 'q', type: 'string', value: query }];
      const event = { messageVersion: '1.0', actionGroup: 'documents', function: 'search', parameters };
      const { payload } = await runtime.invoke(event);
      const body = expect.stringContaining(JSON.stringify(expected[0]!.text));
      expect(payload).toMatchObject({ response: { functionResponse: { responseBody: { TEXT: { body } } } } });
    } finally {
      await api.stop();
      await runtime.close();
    }
  },
);
