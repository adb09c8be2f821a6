import { tokenCounter } from '../index/build.ts';
import { compileModel } from '../index/compile/compile.ts';
import { memoize } from '../index/embedding/memoize.ts';
import { ParallelEmbedder } from '../index/embedding/parallel.ts';
import {
  type ConversationScores,
  conversationTable,
  evaluateConversations,
  readConversations,
} from '../index/evaluate/conversations.ts';
import {
  evaluateCross,
  evaluatePooled,
  evaluateSet,
  meanScores,
  type PooledScores,
  type Scores,
  type SetScores,
} from '../index/evaluate/evaluate.ts';
import { readSet } from '../index/evaluate/set.ts';
import type { Mode } from '../index/format/mode.ts';
import { main, print, Tool } from './kit/command.ts';
import { jsonOption, modelOption, modeOption } from './kit/flags.ts';

interface Flags {
  cross?: boolean;
  pooled?: boolean;
  conversations?: string;
  json?: boolean;
  mode: Mode;
  model: string;
}

interface Report {
  sets: Record<string, SetScores>;
  mean: SetScores;
  cross?: { pairs: Record<string, Scores>; mean: Scores };
  pooled?: PooledScores;
  conversations?: ConversationScores;
}

const command = new Tool(
  'npm run eval --',
  'Compute retrieval metrics on evaluation sets: folders with passages.jsonl and queries.jsonl (or .gz).',
)
  .argument('<set...>', 'folders of evaluation sets')
  .option('--cross', 'also search the passages of every other set with the questions of each set')
  .option('--pooled', 'also search one index of all sets with all questions')
  .option('--conversations <dir>', 'also ask follow-up questions, with and without their history')
  .addOption(modeOption())
  .addOption(modelOption())
  .addOption(jsonOption())
  .examples(
    'npm run eval -- test/quality/sets/en test/quality/sets/de --cross',
    'npm run eval -- test/quality/sets/* --conversations test/quality/conversations',
    'npm run --silent eval -- test/quality/sets/en --mode lexical --json',
  )
  .action(async (folders: string[], { cross, pooled, conversations, json, mode, model }: Flags) => {
    const sets = await Promise.all(folders.map(readSet));
    const compiled = compileModel(model);
    const parallel = new ParallelEmbedder(compiled);
    try {
      const builder = { embedder: memoize(parallel), countTokens: tokenCounter(compiled), mode };
      const scores: Record<string, SetScores> = {};
      for (const set of sets) scores[set.name] = await evaluateSet(builder, set);
      const report: Report = { sets: scores, mean: meanScores(Object.values(scores)) };
      if (cross) {
        const pairs = await evaluateCross(builder, sets);
        report.cross = { pairs, mean: meanScores(Object.values(pairs)) };
      }
      if (pooled) report.pooled = await evaluatePooled(builder, sets);
      if (conversations) {
        const test = (await readConversations(conversations)).filter(({ split }) => split === 'test');
        report.conversations = await evaluateConversations(builder, sets, test);
      }
      print(json, report, () => table(report));
    } finally {
      parallel.close();
    }
  });

await main(() => command.parseAsync());

function table({ sets, mean, cross, pooled, conversations }: Report): string {
  const lines = [row('', ['R@1', 'R@5', 'R@10', 'MRR@10', 'nDCG@10', 'AUROC'])];
  for (const [name, scores] of Object.entries({ ...sets, mean }))
    lines.push(row(name, [...figures(scores), scores.auroc]));
  if (cross) {
    lines.push('', `cross, ${Object.keys(cross.pairs).length} pairs (questions-passages)`);
    for (const [name, scores] of Object.entries({ ...cross.pairs, mean: cross.mean }))
      lines.push(row(name, figures(scores)));
  }
  if (pooled)
    lines.push(
      '',
      `pooled, one index of all sets: recall@20 ${pooled.recall20.toFixed(3)}, P@1 ${pooled.p1.toFixed(3)}`,
    );
  if (conversations) lines.push('', conversationTable(conversations));
  return lines.join('\n');
}

function figures({ r1, r5, r10, mrr10, ndcg10 }: Scores): number[] {
  return [r1, r5, r10, mrr10, ndcg10];
}

function row(name: string, cells: (string | number)[]): string {
  return (
    name.padEnd(8) +
    cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(3) : cell).padStart(9)).join('')
  );
}
