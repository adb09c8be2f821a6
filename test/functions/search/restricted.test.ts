import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { digestOf } from '../../../functions/search/auth.ts';
import type { App } from '../../../functions/search/http.ts';
import type { Document } from '../../../index/documents/document.ts';
import type { Notice } from '../../../index/documents/file.ts';
import { ParallelEmbedder } from '../../../index/embedding/parallel.ts';
import { buildIndex, tokenCounter } from '../../../index/ingest/build.ts';
import { openModel, openSearch } from '../../../index/search/index-search.ts';
import { sharedCache, smallModel, temporaryFolder, topicDocuments } from '../../fixtures/index.ts';
import { runs } from '../../fixtures/runs.ts';
import { post, request } from './ask.ts';

const GROUPS = ['board', 'hr', 'it'];
const { dir } = smallModel();
const folder = temporaryFolder();
const embedder = new ParallelEmbedder(dir, 1);
afterAll(() => embedder.close());

let topics: Document[];
beforeAll(async () => {
  topics = await topicDocuments(['en', 'de']);
});

const restrictedTo = (document: Document, access: unknown): Document => ({
  ...document,
  metadata: { ...document.metadata, access: access as string[] },
});

let count = 0;

/** Builds an index. @returns its folder, and what the build reported */
async function build(documents: Document[]): Promise<{ index: string; notices: Notice[] }> {
  const index = join(folder, String(count++));
  const notices: Notice[] = [];
  await buildIndex(documents, index, embedder, tokenCounter(dir), {
    cache: sharedCache(),
    report: (notice) => notices.push(notice),
  });
  return { index, notices };
}

/** An endpoint over an index, with a key for each set of groups: `board,hr` for both, `` for none. */
async function endpoint(index: string, sets: string[][]): Promise<{ app: App; close: () => void }> {
  const apiKeys = new Map(
    sets.map((groups) => [`k${groups.join('-')}`, { digest: digestOf(`ps_${groups}`), groups }]),
  );
  const search = await openSearch({ index, model: dir, verify: true });
  return {
    app: createApp(search, { apiKeys, contracts: true, log: () => {} }),
    close: () => search.close(),
  };
}

/** The status and the text of an answer, without times and ids of requests. */
async function answerOf(app: App, groups: string[], path: string, init: RequestInit = {}): Promise<string> {
  const headers = { ...init.headers, 'x-api-key': `ps_${groups}` };
  const response = await request(app, path, { ...init, headers });
  const text = await response.text();
  return `${response.status} ${text.replace(/"took":\{[^}]*\}/, '').replace(/"requestId":"[^"]*"/, '')}`;
}

/** A message to the MCP endpoint. */
function call(method: string, params: object): [string, RequestInit] {
  const { headers, ...sent } = post({ jsonrpc: '2.0', id: 1, method, params });
  return ['/mcp', { ...sent, headers: { ...headers, accept: 'application/json, text/event-stream' } }];
}

const tool = (name: string, args: object) => call('tools/call', { name, arguments: args });

/** Requests to every route that reads an index. */
const requestsAbout = (documents: Document[], ids: string[]): [string, RequestInit?][] => [
  ...['/overview', '/health', '/', '/openapi.json'].map((path): [string] => [path]),
  ...['lighthouse', 'Wie funktioniert ein Leuchtturm?', 'thanks', 'zzz'].flatMap((q): [string][] =>
    ['hybrid', 'semantic', 'lexical'].map((mode) => [
      `/search?${new URLSearchParams({ q, mode, k: '20', explain: 'true', matches: 'true', context: '1' })}`,
    ]),
  ),
  ['/search?q=honey&lang=de&k=1'],
  ['/search?q=honey&minConfidence=0.3'],
  ...GROUPS.map((access): [string, RequestInit] => ['/search', post({ q: 'honey', filter: { access } })]),
  ...documents.flatMap(({ source, metadata }): [string, RequestInit?][] => [
    ['/search', post({ q: 'What is it about?', filter: { topic: metadata!.topic } })],
    ['/search', post({ q: 'What is it about?', filter: { source } })],
    tool('read_document', { source }),
  ]),
  ...ids.map((id): [string] => [`/passages/${encodeURIComponent(id)}?context=2`]),
  tool('search', { query: 'bees' }),
  tool('list_documents', {}),
  tool('list_documents', { source: 'en/' }),
  call('tools/list', {}),
  ['/v1/vector_stores/default/search', post({ query: ['bees', 'Brot'] })],
  ['/dify/retrieval', post({ knowledge_id: 'default', query: 'bees', retrieval_setting: { top_k: 9 } })],
];

/** Callers who may read some of the restricted documents. */
const caller = fc.subarray(GROUPS, { minLength: 1, maxLength: 2 });

describe('documents restricted to groups', () => {
  test('are for others as if they were not in the index', { timeout: 300_000 }, async () => {
    const assigned = fc.array(fc.subarray(GROUPS), { minLength: 20, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(assigned, caller, async (access, groups) => {
        const all = topics.map((document, i) => {
          const readers = i === 0 ? [] : access[i % access.length]!;
          return readers.length > 0 ? restrictedTo(document, readers) : document;
        });
        const may = ({ metadata }: Document) => {
          const readers = metadata!.access as string[] | undefined;
          return !readers || readers.some((group) => groups.includes(group));
        };
        const [whole, part] = [await build(all), await build(all.filter(may))];
        const [hidden, never] = [await endpoint(whole.index, [groups]), await endpoint(part.index, [groups])];
        const open = await openSearch({ index: whole.index, model: dir, verify: true });
        const everyone = await open.for(GROUPS);
        const listed = await everyone.search({ q: 'a', k: 100, mode: 'lexical' });
        const ids = listed.results.map(({ id }) => id);
        for (const [path, init] of requestsAbout(all, ids))
          expect(await answerOf(hidden.app, groups, path, init)).toBe(
            await answerOf(never.app, groups, path, init),
          );
        for (const one of [hidden, never]) one.close();
        open.close();
        for (const { index } of [whole, part]) rmSync(index, { recursive: true });
      }),
      { numRuns: runs(20), seed: 29 },
    );
  });

  test('change no byte of the public index', async () => {
    const [first, second, ...others] = topics;
    const publicDocuments = [first!, ...others];
    const { index: whole } = await build([restrictedTo(second!, 'hr'), ...publicDocuments]);
    const { index: part } = await build(publicDocuments);
    for (const name of ['manifest.json', 'passages.bin', 'lookup.bin', 'languages.bin', 'graph.bin'])
      expect(readFileSync(join(whole, name)).equals(readFileSync(join(part, name))), name).toBe(true);
    // Documents without restricted ones remove them.
    await buildIndex(publicDocuments, whole, embedder, tokenCounter(dir), { cache: sharedCache() });
    expect(existsSync(join(whole, 'restricted'))).toBe(false);
  });

  test('are found with others by callers of one of their groups, best first', async () => {
    const { index } = await build(topics.map((one, i) => (i % 2 ? restrictedTo(one, ['hr', 'it']) : one)));
    const search = await openSearch({ index, model: dir, verify: true });
    for (const groups of [['hr'], ['it', 'none'], GROUPS]) {
      const own = await search.for(groups);
      expect((await own.overview()).documents).toBe(topics.length);
      const { results } = await own.search({ q: 'How is bread baked?', k: 40, mode: 'hybrid' });
      expect(new Set(results.map(({ metadata }) => 'access' in metadata!))).toEqual(new Set([true, false]));
      const confidences = results.map(({ confidence }) => confidence);
      expect(confidences).toEqual(confidences.toSorted((a, b) => b - a));
      let listed = 0;
      for (let from: number | undefined = 0; from !== undefined; ) {
        const { documents, next } = await own.documents(undefined, from);
        listed += documents.length;
        from = next;
      }
      // Records of one file are one document for each list of groups.
      expect(listed).toBeGreaterThan(new Set(topics.map(({ source }) => source)).size - 1);
    }
    expect(await search.for(['none'])).toBe(search);
    search.close();
  });

  test('cost one embedding of the question for all lists of groups', async () => {
    const { index } = await build(topics.map((one, i) => (i % 3 ? restrictedTo(one, GROUPS[i % 3]) : one)));
    const model = await openModel(dir, true);
    let embedded = 0;
    const counting = <Args extends unknown[], Result>(embed: (...args: Args) => Result) => {
      return (...args: Args): Result => {
        embedded++;
        return embed(...args);
      };
    };
    const counted = {
      model: model.model,
      tokens: model.tokens.bind(model),
      embed: counting(model.embed.bind(model)),
      ...(model.byToken && { byToken: { ...model.byToken, question: counting(model.byToken.question) } }),
    };
    const search = await openSearch({ index, model: counted, verify: true });
    const own = await search.for(GROUPS);
    const { index: info } = await own.search({ q: 'How is bread baked?', k: 5, mode: 'hybrid' });
    expect(info.version.split('+')).toHaveLength(3);
    expect(embedded).toBe(1);
    search.close();
  });

  test.each([[[]], [[1]], [''], [7], [true]])(
    'with the groups %j are for nobody, and reported',
    async (access) => {
      const [first, second] = topics;
      const { index, notices } = await build([first!, restrictedTo(second!, access)]);
      expect(notices).toEqual([
        expect.objectContaining({ kind: 'failed', place: second!.source, reason: 'restricted to no group' }),
      ]);
      expect(existsSync(join(index, 'restricted'))).toBe(false);
    },
  );

  test('need one that everyone may read', async () => {
    await expect(build([restrictedTo(topics[0]!, 'hr')])).rejects.toThrow('All documents are restricted');
  });

  test('with a damaged index fail for their groups alone', async () => {
    const { index } = await build([topics[0]!, restrictedTo(topics[1]!, 'hr')]);
    rmSync(join(index, 'restricted/00/passages.bin'));
    mkdirSync(join(index, 'restricted/00/passages.bin'));
    const { app, close } = await endpoint(index, [['hr'], []]);
    expect(await answerOf(app, [], '/search?q=honey')).toMatch(/^200/);
    expect(await answerOf(app, ['hr'], '/search?q=honey')).toMatch(/^500/);
    close();
  });
});
