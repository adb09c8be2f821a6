import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileModel, type Learned, readModelSource } from '../index/compile/compile.ts';
import { learnNeutral, readEditions } from '../index/compile/language-axes.ts';
import { learnTokens } from '../index/compile/token-codebook.ts';
import { Embedder } from '../index/embedding/embedder.ts';
import { memoize } from '../index/embedding/memoize.ts';
import { ParallelEmbedder } from '../index/embedding/parallel.ts';
import { calibrate } from '../index/evaluate/calibrate.ts';
import { readCollection } from '../index/evaluate/real-documents.ts';
import { type EvaluationSet, readSet } from '../index/evaluate/set.ts';
import type { Calibration, LearnedTokens } from '../index/format/compiled-model.ts';
import { tokenCounter } from '../index/ingest/build.ts';
import { print, Tool } from './kit/command.ts';
import { jobsOption, jsonOption, modelOption } from './kit/flags.ts';

interface Flags {
  model: string;
  documents?: string[];
  calibrate?: boolean;
  jobs?: number;
  json?: boolean;
}

/** The share of a model's layers before its token states: they align best across languages there. */
const DEPTH = 3 / 4;

export const command = new Tool(
  'learn',
  "Learn language-specific directions in a model's embeddings, and remove them. With evaluation sets, also calibrate the confidence.",
)
  .argument(
    '[set...]',
    'folders of evaluation sets; calibration hides every second article, so half of the questions have no answer',
  )
  .addOption(modelOption('model folder; the results are written to its polyseek.json'))
  .option('--documents <dir...>', 'also calibrate on the questions for learning of these collections')
  .option('--calibrate', 'only calibrate the confidence; keep the rest of polyseek.json')
  .addOption(jobsOption())
  .addOption(jsonOption())
  .examples(
    'npx polyseek learn test/quality/sets/*/',
    'npx polyseek learn --model .polyseek/model-sources/other',
  )
  .action(async (folders: string[], { model, documents = [], calibrate: only, jobs, json }: Flags) => {
    // Learning takes minutes, so each result is reported when it is ready.
    const report = json ? console.error : console.log;
    const sets = await Promise.all(folders.map(readSet));
    const file = join(model, 'polyseek.json');
    const learned: Learned = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Learned) : {};

    if (!only) {
      const plain = new ParallelEmbedder(compileModel(model, { neutral: false }), jobs);
      const { neutral, languages } = await learnNeutral(plain).finally(() => plain.close());
      learned.neutral = neutral;
      writeFileSync(file, serialized(learned));
      report(`Learned ${neutral.axes.length} language axes from ${languages} languages.`);
      learned.tokens = await learnTokenStates(model);
      writeFileSync(file, serialized(learned));
      report(
        learned.tokens
          ? `Learned to compress the token states of layer ${learned.tokens.layer}.`
          : 'The layers of this model cannot be told apart, so its indexes have no token states.',
      );
    }
    if (sets.length > 0) {
      learned.calibration = await learnCalibration(model, sets, documents, jobs, report);
      writeFileSync(file, serialized(learned));
    }
    if (json) print(json, { file, ...learned }, () => '');
  });

async function learnTokenStates(model: string): Promise<LearnedTokens | undefined> {
  const { config } = readModelSource(model);
  const layer = Math.round((config.num_hidden_layers ?? 0) * DEPTH);
  if (layer === 0) return undefined;
  const size = config.hidden_size;
  const zeros = Array<number>(size).fill(0);
  const empty = {
    layer,
    centers: { query: zeros, passage: zeros },
    codewords: [Array<number>(16 * size).fill(0)],
  };
  const compiled = compileModel(model, { tokens: empty });
  const embedder = await Embedder.open(compiled, { verify: false });
  if (!embedder.model.tokens) return undefined;
  return learnTokens(layer, await readEditions(), size, (text, kind) => embedder.rawStates(text, kind));
}

async function learnCalibration(
  model: string,
  sets: EvaluationSet[],
  documents: string[],
  jobs: number | undefined,
  report: (line: string) => void,
): Promise<Calibration> {
  const compiled = compileModel(model);
  const parallel = new ParallelEmbedder(compiled, jobs);
  try {
    const builder = { embedder: memoize(parallel), countTokens: tokenCounter(compiled) };
    return await calibrate(builder, sets, await Promise.all(documents.map(readCollection)), report);
  } finally {
    parallel.close();
  }
}

/** JSON with a row of numbers per line. */
function serialized(learned: Learned): string {
  const text = JSON.stringify(learned, null, 2);
  return `${text.replace(/\[\s+(-?[\d.e-]+(?:,\s+-?[\d.e-]+)*)\s+\]/g, (_, numbers: string) => `[${numbers.replace(/\s+/g, '')}]`)}\n`;
}
