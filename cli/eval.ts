import { existsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { compileModel } from '../index/compile/compile.ts';
import { memoize } from '../index/embedding/memoize.ts';
import { ParallelEmbedder } from '../index/embedding/parallel.ts';
import {
  confidenceTable,
  evaluateConfidence,
  METRICS,
  reliabilityDiagrams,
  scoresByTitle,
} from '../index/evaluate/confidence-report.ts';
import {
  conversationTable,
  evaluateConversations,
  readConversations,
  requireSets,
} from '../index/evaluate/conversations.ts';
import {
  evaluateCross,
  evaluatePooled,
  evaluateSet,
  meanScores,
  type Scores,
  type SetScores,
} from '../index/evaluate/evaluate.ts';
import {
  documentsTable,
  evaluateDocuments,
  readCollection,
  SPLITS,
  type Split,
} from '../index/evaluate/real-documents.ts';
import { articleHalf, type EvaluationSet, type Half, readSet } from '../index/evaluate/set.ts';
import { evaluateSmallTalk, readPhrases, smallTalkTable } from '../index/evaluate/small-talk.ts';
import { type Builder, publishedTo } from '../index/evaluate/temporary-index.ts';
import { tokenCounter } from '../index/ingest/build.ts';
import type { Mode } from '../index/search/answer.ts';
import { parseAddress } from '../index/store/s3vectors/address.ts';
import { print, Tool, UsageError } from './kit/command.ts';
import { choice, jobsOption, jsonOption, modelOption, modeOption } from './kit/flags.ts';
import { showBuildProgress } from './kit/progress.ts';

const SET_FLAGS = ['cross', 'pooled', 'confidence', 'svg', 'smallTalk', 'conversations'] as const;

interface SetFlags {
  cross?: boolean;
  pooled?: boolean;
  confidence?: boolean;
  svg?: string;
  smallTalk?: string;
  conversations?: string;
}

interface Flags extends SetFlags {
  articles: Half | 'all';
  documents?: string[];
  split: Split;
  failures?: boolean;
  json?: boolean;
  mode: Mode;
  model: string;
  jobs?: number;
  to?: string;
}

const EXAMPLE = 'npx polyseek eval test/quality/sets/en test/quality/sets/de --cross';

export const command = new Tool(
  'eval',
  'Compute retrieval metrics on evaluation sets: folders with passages.jsonl and queries.jsonl (or .gz).',
)
  .argument('[set...]', 'folders of evaluation sets; may be omitted with --documents')
  .option('--cross', 'also search the passages of every other set with the questions of each set')
  .option('--pooled', 'also search one index of all sets with all questions')
  .option('--confidence', 'also score confidence; with --cross, also across languages')
  .option('--svg <file>', 'with --confidence: write reliability diagrams to an SVG file')
  .option('--small-talk <dir>', 'also ask phrases that ask nothing, alone and with a history')
  .option('--conversations <dir>', 'also ask follow-up questions, with and without their history')
  .addOption(
    choice('--articles <half>', 'use only the half of each set for fitting or for testing', [
      'fit',
      'test',
      'all',
    ]).default('all'),
  )
  .option('--documents <dir...>', 'score collections: folders with documents/ and questions.jsonl')
  .addOption(choice('--split <split>', 'questions of the collections', SPLITS).default('dev'))
  .option('--failures', 'with --documents: list the questions that failed, with what ranked instead')
  .addOption(modeOption())
  .addOption(modelOption())
  .addOption(jobsOption())
  .option(
    '--to <address>',
    'publish each index at s3vectors://BUCKET/eval…, and search it there; replaces the index that is there',
  )
  .addOption(jsonOption())
  .examples(
    EXAMPLE,
    'npx polyseek eval test/quality/sets/* --conversations test/quality/conversations',
    'npx polyseek eval test/quality/sets/* --cross --confidence --svg reliability.svg',
    'npx polyseek eval test/quality/sets/en --mode lexical --json',
    'npx polyseek eval --documents my-questions --failures',
  )
  .action(
    async (
      folders: string[],
      { articles, documents = [], split, failures, json, mode, model, jobs, to, ...flags }: Flags,
    ) => {
      checkUsage(folders, documents, flags);
      if (failures && documents.length === 0) throw new UsageError('--failures needs --documents. Add it.');
      // Before minutes of work.
      if (to !== undefined) checkAddress(to);
      const whole = await Promise.all(folders.map(readSet));
      const sets = articles === 'all' ? whole : whole.map((set) => articleHalf(set, articles));
      const collections = await Promise.all(documents.map(readCollection));
      const compiled = compileModel(model);
      const parallel = new ParallelEmbedder(compiled, jobs);
      try {
        const embedder = memoize(parallel);
        const builder: Builder = {
          embedder,
          countTokens: tokenCounter(compiled),
          mode,
          progress: showBuildProgress,
        };
        if (to !== undefined) builder.open = await publishedTo(to, embedder);
        const report = sets.length > 0 ? await evaluateSets(builder, sets, flags) : undefined;
        const found =
          collections.length > 0 ? await evaluateDocuments(builder, collections, split, failures) : undefined;
        const tables = () => [
          ...(report ? setTables(report) : []),
          ...(found ? [documentsTable(found)] : []),
        ];
        print(json, { ...report, documents: found }, () => tables().join('\n\n'));
      } finally {
        parallel.close();
      }
    },
  );

/** An evaluation replaces the index at its address, which must not be one that people search. */
function checkAddress(address: string): void {
  if (!parseAddress(address).name.startsWith('eval'))
    throw new UsageError(
      `--to ${address}: eval replaces the index there, so its name must begin with eval, as in s3vectors://BUCKET/eval.`,
    );
}

function checkUsage(folders: string[], documents: string[], flags: SetFlags): void {
  if (folders.length === 0) {
    if (documents.length === 0) throw new UsageError(`Missing argument: set. Example: ${EXAMPLE}`);
    const name = SET_FLAGS.find((one) => flags[one] !== undefined);
    const flag = name?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (flag) throw new UsageError(`--${flag} needs evaluation sets. Name their folders first.`);
  }
  if (flags.svg === undefined) return;
  if (!flags.confidence) throw new UsageError('--svg needs --confidence. Add it.');
  if (!existsSync(dirname(flags.svg)))
    throw new UsageError(`${dirname(flags.svg)} does not exist. Create it first.`);
}

async function evaluateSets(
  builder: Builder,
  sets: EvaluationSet[],
  { cross, pooled, confidence, svg, smallTalk, conversations }: SetFlags,
) {
  // Before minutes of work.
  const phrases = smallTalk ? await readPhrases(smallTalk) : undefined;
  const followUps = conversations
    ? (await readConversations(conversations)).filter(({ split }) => split === 'test')
    : undefined;
  if (followUps) requireSets(followUps, sets);
  const scores: Record<string, SetScores> = {};
  for (const set of sets) scores[set.name] = await evaluateSet(builder, set);
  const pairs = cross ? await evaluateCross(builder, sets) : undefined;
  const confidences = confidence ? await evaluateConfidence(builder, sets, cross ?? false) : undefined;
  if (confidences && svg) writeFileSync(svg, reliabilityDiagrams(scoresByTitle(confidences)));
  return {
    sets: scores,
    mean: meanScores(Object.values(scores)),
    cross: pairs && { pairs, mean: meanScores(Object.values(pairs)) },
    pooled: pooled ? await evaluatePooled(builder, sets) : undefined,
    confidence: confidences,
    smallTalk: phrases && (await evaluateSmallTalk(builder, sets, phrases)),
    conversations: followUps && (await evaluateConversations(builder, sets, followUps)),
  };
}

function setTables(report: Awaited<ReturnType<typeof evaluateSets>>): string[] {
  const { sets, mean, cross, pooled, confidence, smallTalk, conversations } = report;
  const names = row('', ['R@1', 'R@5', 'R@10', 'MRR@10', 'nDCG@10', 'AUROC']);
  const tables = [[names, ...rowsOf({ ...sets, mean }, (scores) => [...figures(scores), scores.auroc])]];
  if (cross) {
    const count = Object.keys(cross.pairs).length;
    const rows = rowsOf({ ...cross.pairs, mean: cross.mean }, figures);
    tables.push([`cross, ${count} pairs (questions-passages)`, ...rows]);
  }
  if (pooled) {
    const [recall, precision] = [pooled.recall20.toFixed(3), pooled.p1.toFixed(3)];
    tables.push([`pooled, one index of all sets: recall@20 ${recall}, P@1 ${precision}`]);
  }
  if (confidence) tables.push(['confidence', confidenceTable(scoresByTitle(confidence), METRICS)]);
  if (smallTalk) tables.push([smallTalkTable(smallTalk)]);
  if (conversations) tables.push([conversationTable(conversations)]);
  return tables.map((lines) => lines.join('\n'));
}

const figures = ({ r1, r5, r10, mrr10, ndcg10 }: Scores) => [r1, r5, r10, mrr10, ndcg10];

function rowsOf<T>(all: Record<string, T>, figuresOf: (scores: T) => number[]): string[] {
  return Object.entries(all).map(([name, scores]) =>
    row(
      name,
      figuresOf(scores).map((figure) => figure.toFixed(3)),
    ),
  );
}

const row = (name: string, cells: string[]) =>
  name.padEnd(8) + cells.map((cell) => cell.padStart(9)).join('');
