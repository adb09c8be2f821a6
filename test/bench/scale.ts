import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageFunction } from '../../functions/package/package-function.ts';
import type { Document } from '../../index/documents/document.ts';
import type { TextEmbedder } from '../../index/embedding/embedder.ts';
import { ParallelEmbedder } from '../../index/embedding/parallel.ts';
import { coldCommand, coldStarts, summaryOf } from './cold.ts';
import { type CountTokens, passagesOf, questionMaker, recombined } from './corpus.ts';
import { searchEvent } from './event.ts';
import type { Figure } from './figures.ts';
import { embedded, embeddedQuestions, fileSizes, indexBytes } from './index.ts';
import { build, cachePath, preparedModel, withCachedVectors } from './prepare.ts';
import { aside, type Contestant, inTurns, timedModule } from './processes.ts';
import { recallAt10 } from './recall.ts';
import type { Section } from './report.ts';
import { scaleCharts, scaleTable } from './scale-charts.ts';

const TOKENS = 12;
const SEED = 50;
/** Documents embedded at once. Their vectors are cached for later runs. */
const CHUNK = 2000;
/** Passages for measuring the embedding rate, with their sentences. */
const RATED = 100;

/** The measurements of one index size. */
export interface Size {
  passages: number;
  /** Different texts to embed: passages and sentences. */
  texts: number;
  /** Seconds: embedding all texts at the rate of this run, cutting, and all steps after embedding. */
  build: { embedding: number; cutting: number; graph: number };
  /** Bytes a passage, by file. */
  bytes: Record<string, number>;
  recall: number;
  cold: { ms: number; mb: number };
  warm: { p50: number; p99: number };
}

/** Measures indexes of growing sizes over recombined sentences: build, size, cold start and search. */
export async function scale({
  sizes,
  rounds,
  calls,
}: {
  sizes: readonly number[];
  rounds: number;
  calls: number;
}): Promise<Section> {
  const { model, countTokens } = preparedModel();
  const documents = await recombined(Math.max(...sizes), countTokens);
  const texts = documents.map((document) => document.blocks[0]!.text);
  const rate = await embeddingRate(
    model,
    texts.slice(0, RATED).flatMap((text) => [text, ...text.split('\n')]),
  );
  const built = await withCachedVectors(model, async (embedder) => {
    for (let at = 0; at < documents.length; at += CHUNK) {
      const passages = passagesOf(documents.slice(at, at + CHUNK), countTokens);
      const parts = passages.flatMap(({ text, sentences }) => [
        text,
        ...sentences.map(([start, end]) => text.slice(start, end)),
      ]);
      await Promise.all(parts.map((text) => embedder.embed(text, 'passage')));
      console.error(`${at + passages.length} of ${documents.length} passages have vectors`);
    }
    const questions = await embeddedQuestions(embedder, countTokens);
    const found: Omit<Size, 'cold' | 'warm'>[] = [];
    for (const passages of sizes) {
      const part = documents.slice(0, passages);
      embedder.asked.clear();
      const { cutting, graph } = await timedBuild(part, folderOf(passages), embedder, countTokens);
      const count = embedder.asked.size;
      const vectors = await embedded(
        embedder,
        part.map(({ id }, i) => ({ id: id!, text: texts[i]!, title: '', source: '' })),
      );
      const files = fileSizes(join(folderOf(passages), 'index'));
      found.push({
        passages,
        texts: count,
        build: { embedding: count * rate, cutting, graph },
        bytes: Object.fromEntries(Object.entries(files).map(([name, size]) => [name, size / passages])),
        recall: await recallAt10(folderOf(passages), vectors, questions),
      });
      console.error(`Built an index of ${passages} passages`);
    }
    return found;
  });
  const starts = await coldStarts(
    Object.fromEntries(sizes.map((size) => [size, coldCommand(folderOf(size), 'lambda.mjs')])),
    rounds,
  );
  const latencies = await warmLatencies(sizes, countTokens, calls);
  const measured = built.map((size): Size => {
    const { ms, mb } = summaryOf(starts.get(String(size.passages))!);
    return { ...size, cold: { ms: ms[1], mb: mb[1] }, warm: latencies[size.passages]! };
  });
  return {
    name: 'scale',
    figures: figuresOf(measured),
    tables: [scaleTable(measured)],
    charts: scaleCharts(measured),
    measured,
  };
}

function folderOf(passages: number): string {
  return cachePath(`scale-${passages}`);
}

/**
 * Builds an index from cached vectors and packages it. The embedder is first called after cutting, so the rest of the time is for the
 * graph and the files.
 * @returns seconds
 */
async function timedBuild(
  documents: readonly Document[],
  folder: string,
  embedder: TextEmbedder,
  countTokens: CountTokens,
): Promise<{ cutting: number; graph: number }> {
  let asked: number | undefined;
  const watched: TextEmbedder = {
    model: embedder.model,
    embed(text, kind) {
      asked ??= performance.now();
      return embedder.embed(text, kind);
    },
  };
  const index = `${folder}-index`;
  const start = performance.now();
  await build(documents, index, watched, countTokens, documents.length);
  const end = performance.now();
  await packageFunction(index, folder);
  rmSync(index, { recursive: true });
  return { cutting: (asked! - start) / 1000, graph: (end - asked!) / 1000 };
}

/** Returns the seconds of embedding a text on all cores. */
async function embeddingRate(model: string, texts: readonly string[]): Promise<number> {
  const embedder = new ParallelEmbedder(model);
  const embedAll = (some: readonly string[]) =>
    Promise.all(some.map((text) => embedder.embed(text, 'passage')));
  try {
    await embedAll(texts.slice(0, 20));
    const start = performance.now();
    await embedAll(texts);
    return (performance.now() - start) / 1000 / texts.length;
  } finally {
    embedder.close();
  }
}

function warmLatencies(sizes: readonly number[], countTokens: CountTokens, calls: number) {
  return aside(async () => {
    const question = await questionMaker(countTokens, SEED);
    const modules = sizes.map((size) => timedModule(join(folderOf(size), 'lambda.mjs')));
    try {
      const contestants = sizes.map((size, i): [string, Contestant] => [
        String(size),
        { process: modules[i]!, call: 'handler', argument: () => searchEvent(question(TOKENS)) },
      ]);
      return await inTurns(Object.fromEntries(contestants), calls);
    } finally {
      await Promise.all(modules.map((each) => each.stop()));
    }
  });
}

function figuresOf(sizes: readonly Size[]): Figure[] {
  const [first, ...others] = sizes;
  const against = (name: string, value: (size: Size) => number, goals: Record<number, number> = {}) =>
    others.map(
      (size): Figure => ({
        name: `${name} at ${size.passages} passages against ${first!.passages}`,
        value: value(size) / value(first!),
        unit: 'ratio',
        goal: goals[size.passages],
      }),
    );
  return [
    ...against('cold start', ({ cold }) => cold.ms, { 50000: 1.6 }),
    ...against('peak RSS', ({ cold }) => cold.mb),
    ...against('warm p50', ({ warm }) => warm.p50),
    ...sizes.flatMap(({ passages, bytes, recall }): Figure[] => [
      {
        name: `index bytes a passage at ${passages}, without the text`,
        value: indexBytes(bytes),
        unit: 'bytes',
        goal: 2500,
      },
      { name: `recall@10 at ${passages} passages`, value: recall, unit: 'recall', goal: 0.99 },
    ]),
  ];
}
