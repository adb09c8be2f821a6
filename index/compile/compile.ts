import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CompiledModel, FORMAT, type Logistic, type NeutralAxes } from '../embedding/compiled-model.ts';
import { describeFile } from '../files.ts';
import type { Mode } from '../search/answer.ts';
import { cutModel } from './encoder.ts';
import { writeRows } from './tables.ts';
import { compileTokenizer } from './tokenizer.ts';

/** The model that the repository ships. */
export const DEFAULT_MODEL = fileURLToPath(new URL('../model', import.meta.url));

/** Where compiled models are kept, each in a folder named by the hash of what it was made from. */
export const COMPILED = fileURLToPath(new URL('../../build/models', import.meta.url));

/** Changes when this step would make something else of the same model. */
const COMPILER = 1;

/** A model folder's `polyseek.json`: what this project has learned about the model. */
export interface Learned {
  neutral?: NeutralAxes;
  calibration?: Partial<Record<Mode, Logistic>>;
}

interface Config {
  model_type: string;
  hidden_size: number;
  pad_token_id?: number;
  position_embedding_type?: string;
  _name_or_path?: string;
}

/** A model folder as @xenova/transformers lays it out, read and checked but not yet compiled. */
export interface ModelSource {
  name: string;
  config: Config;
  tokenizer: string;
  onnx: Uint8Array;
  prefixes: { query: string; passage: string };
  learned: Learned;
  hash: string;
}

/**
 * Reads a model folder and checks that it is of a kind that polyseek takes.
 * @throws in one sentence that says what it can't take
 */
export function readModelSource(dir: string): ModelSource {
  const read = (name: string): Buffer => {
    if (!existsSync(join(dir, name))) {
      throw new Error(
        `${dir} has no ${name}: a model folder holds config.json, tokenizer.json and onnx/model_quantized.onnx (or onnx/model.onnx).`,
      );
    }
    return readFileSync(join(dir, name));
  };
  const optional = <T>(name: string): T | undefined =>
    existsSync(join(dir, name)) ? (JSON.parse(readFileSync(join(dir, name), 'utf8')) as T) : undefined;

  const config = JSON.parse(read('config.json').toString()) as Config;
  if (
    !['bert', 'xlm-roberta', 'roberta'].includes(config.model_type) ||
    (config.position_embedding_type ?? 'absolute') !== 'absolute'
  ) {
    throw new Error(
      `${dir} is a ${config.model_type} model with ${config.position_embedding_type ?? 'absolute'} positions, but polyseek takes bert, roberta ` +
        'and xlm-roberta with absolute positions: choose such a sentence model, as the multilingual E5 ones are.',
    );
  }
  const pooling = optional<{ pooling_mode_mean_tokens?: boolean }>('1_Pooling/config.json');
  if (pooling?.pooling_mode_mean_tokens === false) {
    throw new Error(
      `${dir} does not pool by the mean of its tokens (1_Pooling/config.json), but polyseek does: choose a model that does.`,
    );
  }
  const onnxName = existsSync(join(dir, 'onnx/model_quantized.onnx'))
    ? 'onnx/model_quantized.onnx'
    : 'onnx/model.onnx';
  const files = [read('config.json'), read('tokenizer.json'), read(onnxName)];
  const prompts =
    optional<{ prompts?: Record<string, string> }>('config_sentence_transformers.json')?.prompts ?? {};
  const prefixes = { query: prompts.query ?? '', passage: prompts.document ?? prompts.passage ?? '' };
  return {
    name: (config._name_or_path ?? dir).split('/').at(-1)!,
    config,
    tokenizer: files[1]!.toString(),
    onnx: files[2]!,
    prefixes,
    learned: optional<Learned>('polyseek.json') ?? {},
    hash: sha256(...files, JSON.stringify(prefixes)),
  };
}

/**
 * Compiles a model folder, or finds it compiled already.
 * @param options.neutral false leaves the language axes out, as learning them needs
 * @returns the folder of the compiled model
 */
export function compileModel(dir: string, options: { neutral?: boolean } = {}): string {
  const source = readModelSource(dir);
  const { calibration = {} } = source.learned;
  const neutral = options.neutral === false ? undefined : source.learned.neutral;
  const key = sha256(`${COMPILER}.${FORMAT}`, source.hash, JSON.stringify([neutral, calibration])).slice(
    0,
    16,
  );
  const out = join(COMPILED, key);
  if (existsSync(join(out, 'model.json'))) return out;

  const cut = cutModel(source.onnx, {
    hidden: source.config.hidden_size,
    firstPosition: source.config.model_type === 'bert' ? 0 : (source.config.pad_token_id ?? 1) + 1,
    neutral,
  });
  const files = {
    'tokenizer.bin': compileTokenizer(source.tokenizer),
    'rows.bin': writeRows(cut.words, cut.positions),
    'encoder.onnx': cut.encoder,
  };
  const model: CompiledModel = {
    format: FORMAT,
    name: source.name,
    hash: source.hash,
    neutral: neutral ? sha256(JSON.stringify(neutral)) : null,
    dimensions: source.config.hidden_size,
    maxTokens: cut.maxTokens,
    prefixes: source.prefixes,
    calibration,
    optimize: cut.optimize,
    files: Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, describeFile(bytes)])),
  };
  // A process that is killed here leaves a folder that nobody reads; the rename makes it whole at once.
  const draft = `${out}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(draft, name), bytes);
  writeFileSync(join(draft, 'model.json'), `${JSON.stringify(model, null, 2)}\n`);
  try {
    renameSync(draft, out);
  } catch (error) {
    rmSync(draft, { recursive: true });
    // Another process may have compiled the same model meanwhile; its folder is as good as this one.
    if (!existsSync(join(out, 'model.json'))) throw error;
  }
  return out;
}

function sha256(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(createHash('sha256').update(part).digest());
  return hash.digest('hex');
}
