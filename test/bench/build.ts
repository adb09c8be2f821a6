import { join } from 'node:path';
import type { Document } from '../../index/documents/document.ts';
import type { TextEmbedder } from '../../index/embedding/embedder.ts';
import { ParallelEmbedder } from '../../index/embedding/parallel.ts';
import { passagesOf } from './corpus.ts';
import { build as buildIndex, cachePath, PASSAGES, type Prepared } from './prepare.ts';
import { timedModule } from './processes.ts';
import { type Section, spread } from './report.ts';
import { quartiles } from './stats.ts';

/** Passages embedded in each round: a multiple of each batch size. */
const TEXTS = 128;
/** Batch sizes of the plain pipeline. */
const BATCHES = [1, 4, 8, 16, 32];
/** A whole build takes as long as many rounds, so it runs in one of this many. */
const ROUNDS_A_BUILD = 5;

/** Compares embedding on all cores with the plain pipeline in batches, in turns, and a whole build with its embedding alone. */
export async function build(prepared: Prepared, rounds: number): Promise<Section> {
  const { model, documents, countTokens, plain } = prepared;
  const texts = passagesOf(documents, countTokens)
    .slice(0, TEXTS)
    .map(({ text }) => text);
  const embedder = new ParallelEmbedder(model);
  const pipeline = timedModule(join(plain, 'index.mjs'), { allCores: true });
  const polyseek: number[] = [];
  const batches = new Map(BATCHES.map((size): [number, number[]] => [size, []]));
  const builds: { whole: number; embedding: number }[] = [];
  try {
    // The first round only warms up.
    for (let round = 0; round <= rounds; round++) {
      const own = await seconds(() => embedAll(embedder, texts));
      if (round > 0) polyseek.push(TEXTS / own);
      for (const [size, rates] of batches) {
        const times = await pipeline.time('embedBatch', chunks(texts, size));
        if (round > 0) rates.push((TEXTS / times.reduce((sum, ms) => sum + ms, 0)) * 1000);
      }
      if (round % ROUNDS_A_BUILD === 1) builds.push(await timedBuild(prepared, documents, embedder));
    }
  } finally {
    embedder.close();
    await pipeline.stop();
  }
  const own = quartiles(polyseek);
  const rates = [...batches].map(([size, found]) => ({ size, rate: quartiles(found) }));
  const best = rates.toSorted((a, b) => b.rate[1] - a.rate[1])[0]!;
  const whole = quartiles(builds.map((each) => each.whole));
  const embedding = quartiles(builds.map((each) => each.embedding));
  return {
    name: 'build',
    figures: [
      {
        name: "texts embedded a second, all cores, against the plain pipeline's best batch size",
        value: own[1] / best.rate[1],
        unit: 'times',
        goal: 1.5,
      },
      {
        name: `whole build of ${PASSAGES} passages against embedding its texts`,
        value: quartiles(builds.map((each) => each.whole / each.embedding))[1],
        unit: 'ratio',
      },
    ],
    tables: [
      {
        title: `${TEXTS} passages on all cores, ${rounds} rounds in turns: texts a second, median (quartiles)`,
        head: ['', 'texts a second'],
        rows: [
          ['polyseek, one text a run', spread(own, 'a second', 1)],
          ...rates.map(({ size, rate }) => [
            `plain pipeline, batches of ${size}`,
            spread(rate, 'a second', 1),
          ]),
        ],
      },
      {
        title: `Build of ${PASSAGES} passages, ${builds.length} rounds in turns`,
        head: ['whole build', 'embedding the same texts alone'],
        rows: [[spread(whole, 's', 1), spread(embedding, 's', 1)]],
      },
    ],
    measured: { polyseek: own, plain: rates, builds },
  };
}

/** Returns the seconds of a build, and of embedding the same texts again. */
async function timedBuild(
  { countTokens }: Prepared,
  documents: readonly Document[],
  embedder: TextEmbedder,
): Promise<{ whole: number; embedding: number }> {
  const texts: string[] = [];
  const { byToken } = embedder;
  const noting: TextEmbedder = {
    model: embedder.model,
    embed(text, kind) {
      texts.push(text);
      return embedder.embed(text, kind);
    },
    ...(byToken && {
      byToken: {
        ...byToken,
        passage(text) {
          texts.push(text);
          return byToken.passage(text);
        },
      },
    }),
  };
  const whole = await seconds(() =>
    buildIndex(documents, cachePath('build-index'), noting, countTokens, PASSAGES),
  );
  return { whole, embedding: await seconds(() => embedAll(embedder, texts)) };
}

function embedAll(embedder: TextEmbedder, texts: readonly string[]): Promise<unknown> {
  return Promise.all(texts.map((text) => embedder.embed(text, 'passage')));
}

async function seconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

function chunks<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) =>
    values.slice(i * size, (i + 1) * size),
  );
}
