import { readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packageFunction } from '../../functions/package/package-function.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { type BundleSpace, bundleSpace } from '../../index/ingest/bundle-space.ts';
import { LambdaRuntime, report } from '../fixtures/lambda-runtime.ts';
import { coldCommand, coldStarts, summaryOf } from './cold.ts';
import { searchEvent } from './event.ts';
import type { Figure } from './figures.ts';
import { fileSizes } from './index.ts';
import { cachePath } from './prepare.ts';
import { documentQuestions, graphRecall } from './real-questions.ts';
import type { Section, Table } from './report.ts';
import { percentile } from './stats.ts';

/** Questions asked of each index. */
const QUESTIONS = 200;

/** The measurements of one index. */
interface Edge {
  /** Folder of the index. */
  index: string;
  passages: number;
  sentences: number;
  tokens: boolean;
  /** Bytes by file of the index. */
  files: Record<string, number>;
  space: BundleSpace;
  recall: number;
  /** Spawn to first answer, and peak memory, on one core. */
  cold: { ms: number; mb: number };
  /** Under AWS's runtime client: start, memory and answers. */
  lambda: { initMs: number; memoryMb: number; p50: number; p99: number; errors: number };
}

/**
 * Measures functions with given indexes, which may be too large for Lambda: bytes, cold start, memory, answers and recall. Ratios are
 * against the first one.
 */
export async function edge(indexes: readonly string[], rounds: number): Promise<Section> {
  const folders = indexes.map((_, i) => resolve(cachePath(`edge-${i}`)));
  for (const [i, folder] of folders.entries()) {
    await packageFunction(indexes[i]!, folder);
    console.error(`Packaged ${indexes[i]}`);
  }
  try {
    const starts = await coldStarts(
      Object.fromEntries(folders.map((folder) => [folder, coldCommand(folder, 'lambda.mjs')])),
      rounds,
    );
    const measured: Edge[] = [];
    for (const [i, folder] of folders.entries()) {
      const { counts, model } = readManifest(join(folder, 'index'), undefined, false);
      const questions = documentQuestions(join(folder, 'index'), QUESTIONS);
      const { ms, mb } = summaryOf(starts.get(folder)!);
      measured.push({
        index: indexes[i]!,
        passages: counts.passages,
        sentences: counts.sentences,
        tokens: model.tokens !== null,
        files: fileSizes(join(folder, 'index')),
        space: spaceOf(folder, counts.passages),
        recall: await graphRecall(join(folder, 'index'), join(folder, 'model'), questions),
        cold: { ms: ms[1], mb: mb[1] },
        lambda: await underRuntime(folder, questions),
      });
      console.error(`Measured ${indexes[i]}`);
    }
    return {
      name: 'edge',
      figures: figuresOf(measured),
      tables: [functionTable(measured), fileTable(measured)],
      measured,
    };
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

/** How full the function is, even if Lambda would refuse it. */
function spaceOf(folder: string, passages: number): BundleSpace {
  const bytes = (path: string): number =>
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  const ofIndex = bytes(join(folder, 'index'));
  return bundleSpace(bytes(folder) - ofIndex, { bytes: ofIndex, passages });
}

async function underRuntime(folder: string, questions: readonly string[]): Promise<Edge['lambda']> {
  const runtime = new LambdaRuntime({ folder });
  try {
    const first = report(await runtime.invoke(searchEvent('Is anybody there?'))).record.metrics;
    const answers = [];
    for (const question of questions) {
      const answer = await runtime.invoke(searchEvent(question));
      const { statusCode } = answer.payload as { statusCode?: number };
      answers.push({ failed: statusCode !== 200, metrics: report(answer).record.metrics });
    }
    const times = answers.map(({ metrics }) => metrics.durationMs!);
    return {
      initMs: first.initDurationMs!,
      memoryMb: Math.max(...answers.map(({ metrics }) => metrics.maxMemoryUsedMB!)),
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      errors: answers.filter(({ failed }) => failed).length,
    };
  } finally {
    await runtime.close();
  }
}

const nameOf = ({ passages, tokens }: Edge) =>
  `${passages.toLocaleString('en')} passages ${tokens ? 'with' : 'without'} token states`;

function figuresOf(measured: readonly Edge[]): Figure[] {
  const [first, ...others] = measured;
  return [
    ...measured.flatMap((each): Figure[] => [
      { name: `recall@10 with ${nameOf(each)}`, value: each.recall, unit: 'recall', goal: 0.99 },
      { name: `errors with ${nameOf(each)}`, value: each.lambda.errors, unit: 'count', goal: 0 },
    ]),
    ...others.flatMap((each): Figure[] => [
      { name: `cold start with ${nameOf(each)}`, value: each.cold.ms / first!.cold.ms, unit: 'ratio' },
      { name: `peak memory with ${nameOf(each)}`, value: each.cold.mb / first!.cold.mb, unit: 'ratio' },
      { name: `p50 with ${nameOf(each)}`, value: each.lambda.p50 / first!.lambda.p50, unit: 'ratio' },
    ]),
  ];
}

function functionTable(measured: readonly Edge[]): Table {
  return {
    title: `Functions with real passages, ${QUESTIONS} questions from their documents`,
    head: [
      'index',
      'function',
      'passages that fit',
      'spawn to first answer',
      'peak memory',
      'runtime client: start',
      'memory',
      'p50, p99',
      'recall@10',
    ],
    rows: measured.map((each) => {
      const { space, cold, lambda, recall } = each;
      return [
        nameOf(each),
        `${(space.bytes / 1e6).toFixed(0)} MB${space.bytes < space.limit ? '' : ' (too large)'}`,
        (space.passages + space.passagesLeft).toLocaleString('en'),
        `${cold.ms.toFixed(0)} ms`,
        `${cold.mb.toFixed(0)} MB`,
        `${lambda.initMs.toFixed(0)} ms`,
        `${lambda.memoryMb.toFixed(0)} MB`,
        `${lambda.p50.toFixed(1)} ms, ${lambda.p99.toFixed(1)} ms`,
        recall.toFixed(3),
      ];
    }),
  };
}

function fileTable(measured: readonly Edge[]): Table {
  const names = [...new Set(measured.flatMap(({ files }) => Object.keys(files)))].sort();
  const cell = ({ files, passages }: Edge, name: string) => {
    const bytes = files[name];
    return bytes === undefined ? '-' : `${(bytes / 1e6).toFixed(1)} MB, ${(bytes / passages).toFixed(0)}`;
  };
  return {
    title: 'Files of the indexes, and bytes a passage',
    head: ['file', ...measured.map(nameOf)],
    rows: names.map((name) => [name, ...measured.map((each) => cell(each, name))]),
  };
}
