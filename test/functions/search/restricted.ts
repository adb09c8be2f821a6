import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { digestOf } from '../../../functions/search/auth.ts';
import type { App } from '../../../functions/search/http.ts';
import type { Document } from '../../../index/documents/document.ts';
import type { Notice } from '../../../index/documents/file.ts';
import { ParallelEmbedder } from '../../../index/embedding/parallel.ts';
import { buildIndex, tokenCounter } from '../../../index/ingest/build.ts';
import type { ClosableSearch } from '../../../index/search/answer.ts';
import { sharedCache, smallModel, temporaryFolder, topicDocuments } from '../../fixtures/index.ts';
import { post, request } from './ask.ts';

export const GROUPS = ['board', 'hr', 'it'];
export const { dir } = smallModel();
const folder = temporaryFolder();
export const embedder = new ParallelEmbedder(dir, 1);

export const topics = await topicDocuments(['en', 'de']);

export const restrictedTo = (document: Document, access: unknown): Document => ({
  ...document,
  metadata: { ...document.metadata, access: access as string[] },
});

let count = 0;

/** Builds an index. @returns its folder, and what the build reported */
export async function build(documents: Document[]): Promise<{ index: string; notices: Notice[] }> {
  const index = join(folder, String(count++));
  const notices: Notice[] = [];
  await buildIndex(documents, index, embedder, tokenCounter(dir), {
    cache: sharedCache(),
    report: (notice) => notices.push(notice),
  });
  return { index, notices };
}

/** An endpoint over an index, with a key for each set of groups: `board,hr` for both, `` for none. */
export async function endpoint(
  open: Promise<ClosableSearch>,
  sets: string[][],
): Promise<{ app: App; close: () => void }> {
  const apiKeys = new Map(
    sets.map((groups) => [`k${groups.join('-')}`, { digest: digestOf(`ps_${groups}`), groups }]),
  );
  const search = await open;
  return {
    app: createApp(search, { apiKeys, contracts: true, log: () => {} }),
    close: () => search.close(),
  };
}

/** The status and the text of an answer, without times and ids of requests. */
export async function answerOf(
  app: App,
  groups: string[],
  path: string,
  init: RequestInit = {},
): Promise<string> {
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

/**
 * Compares the answers of an endpoint with those of one over an index without the documents that the caller may not read.
 * @param open opens an index that is in a folder
 */
export async function compareWithNever(
  open: (folder: string) => Promise<ClosableSearch>,
  numRuns: number,
): Promise<void> {
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
      const [hidden, never] = [
        await endpoint(open(whole.index), [groups]),
        await endpoint(open(part.index), [groups]),
      ];
      const opened = await open(whole.index);
      const everyone = await opened.for(GROUPS);
      const listed = await everyone.search({ q: 'a', k: 100, mode: 'lexical' });
      const ids = listed.results.map(({ id }) => id);
      for (const [path, init] of requestsAbout(all, ids))
        expect(await answerOf(hidden.app, groups, path, init)).toBe(
          await answerOf(never.app, groups, path, init),
        );
      for (const one of [hidden, never]) one.close();
      opened.close();
      for (const { index } of [whole, part]) rmSync(index, { recursive: true });
    }),
    { numRuns, seed: 29 },
  );
}
