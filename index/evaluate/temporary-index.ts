import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Document } from '../documents/document.ts';
import type { QuestionEmbedder } from '../embedding/embedder.ts';
import { buildIndex, type TokenSetting } from '../ingest/build.ts';
import type { Progress } from '../ingest/read-passages.ts';
import { readDocuments } from '../ingest/sources/open-sources.ts';
import type { ClosableSearch, Mode, Search } from '../search/answer.ts';
import { openSearch, searchStore } from '../search/index-search.ts';
import { type EvaluationSet, setFile } from './set.ts';

/** The settings for building and searching an index. */
export interface Builder {
  embedder: QuestionEmbedder;
  countTokens: (text: string) => number;
  mode: Mode;
  /** Whether indexes get token states; `auto` by default. */
  tokens?: TokenSetting;
  /** Returns what shows the progress of an index. */
  progress?: () => Progress;
  /** Opens the index in a folder, or a copy of it elsewhere. Default: the one in the folder. */
  open?: (folder: string) => Promise<ClosableSearch>;
}

/** Builds an index of documents in a temporary folder, and opens it. */
export async function withDocuments<T>(
  builder: Builder,
  documents: AsyncIterable<Document> | Iterable<Document>,
  use: (search: Search) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'polyseek-eval-'));
  try {
    const index = join(folder, 'index');
    const { embedder, countTokens, tokens, progress, open } = builder;
    await buildIndex(documents, index, embedder, countTokens, { tokens, progress: progress?.() });
    const search = open ? await open(index) : await openSearch({ index, model: embedder, verify: false });
    try {
      return await use(search);
    } finally {
      search.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Builds an index of the sets' passages in a temporary folder, and opens it.
 * @param keep which passages the index has, by id: all by default
 */
export function withIndex<T>(
  builder: Builder,
  sets: readonly EvaluationSet[],
  use: (search: Search) => Promise<T>,
  keep: (id: string) => boolean = () => true,
): Promise<T> {
  return withDocuments(builder, documentsOf(sets, keep), use);
}

async function* documentsOf(
  sets: readonly EvaluationSet[],
  keep: (id: string) => boolean,
): AsyncGenerator<Document> {
  for (const { dir, passages } of sets) {
    // A set may be a part of its files.
    const own = new Set(passages.map(({ id }) => id));
    for await (const document of readDocuments([setFile(dir, 'passages.jsonl')])) {
      const id = document.id ?? '';
      if (own.has(id) && keep(id)) yield document;
    }
  }
}

/**
 * Searches indexes in S3 Vectors.
 * @param address replaced by each index
 * @returns a function that publishes the index in a folder, and opens it there
 */
export async function publishedTo(
  address: string,
  embedder: QuestionEmbedder,
): Promise<(folder: string) => Promise<ClosableSearch>> {
  // Loaded on demand: other evaluations need no code of AWS.
  const { parseAddress } = await import('../store/s3vectors/address.ts');
  const { Generations } = await import('../store/s3vectors/generations.ts');
  const { publish } = await import('../store/s3vectors/publish/publish.ts');
  const { TIMEOUT } = await import('../search/current-search.ts');
  const generations = new Generations(parseAddress(address), TIMEOUT);
  return async (folder) => {
    const { generation } = await publish(folder, parseAddress(address));
    return searchStore(await generations.open(generation), address, embedder);
  };
}

/** Embeds questions, on every core. The embedder caches the results for the searches that follow. */
export async function embedQuestions(
  { embedder }: Builder,
  questions: readonly { text: string }[],
): Promise<void> {
  await Promise.all(questions.map(({ text }) => embedder.embed(text, 'query')));
}
