import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '../embedding/tokenizer.ts';
import { describeFile } from '../format/checksums.ts';
import { type CompiledModel, FORMAT, type Logistic, type Neutral } from '../format/compiled-model.ts';
import type { Mode } from '../format/mode.ts';
import { compileTokenizer, type TokenizerJson } from './compile-tokenizer.ts';
import { cutModel } from './cut-model.ts';
import { writeRows } from './lookup-tables.ts';
import { WEIGHTS } from './onnx-graph.ts';

/** The model that the repository ships. */
export const DEFAULT_MODEL = fileURLToPath(new URL('../model', import.meta.url));

/** Where compiled models are kept, each in a folder named by the hash of what it was made from. */
export const COMPILED = fileURLToPath(new URL('../../build/models', import.meta.url));

/** Changes when this step would make something else of the same model. */
const COMPILER = 4;

/** A model folder's `polyseek.json`: what this project has learned about the model. */
export interface Learned {
  neutral?: Neutral;
  calibration?: Partial<Record<Mode, Logistic>>;
}

interface Config {
  model_type?: string;
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
    existsSync(join(dir, name)) ? parseJson<T>(join(dir, name), read(name).toString()) : undefined;

  const config = parseJson<Config>(join(dir, 'config.json'), read('config.json').toString());
  if (
    !['bert', 'xlm-roberta', 'roberta'].includes(config.model_type ?? '') ||
    (config.position_embedding_type ?? 'absolute') !== 'absolute'
  ) {
    throw new Error(
      `${dir} holds a model of type ${config.model_type ?? '(none)'} with ${config.position_embedding_type ?? 'absolute'} positions, but polyseek takes bert, roberta ` +
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
    name: basename(config._name_or_path || resolve(dir)),
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
 * @param options.into the folder that compiled models are kept in
 * @param options.engine `onnx` compiles for ONNX Runtime what the project's own engine could run
 * @returns the folder of the compiled model
 * @throws in one sentence that says what polyseek can't take
 */
export function compileModel(
  dir: string,
  options: { neutral?: boolean; into?: string; engine?: 'onnx' } = {},
): string {
  const source = readModelSource(dir);
  const { calibration = {} } = source.learned;
  const neutral = options.neutral === false ? undefined : source.learned.neutral;
  // The engine's source is not for the compilers of Windows, where ONNX Runtime comes compiled.
  const packs = options.engine !== 'onnx' && process.platform !== 'win32';
  const key = sha256(
    `${COMPILER}.${FORMAT}`,
    source.hash,
    JSON.stringify([neutral, calibration, packs]),
  ).slice(0, 16);
  const out = join(options.into ?? COMPILED, key);
  if (existsSync(join(out, 'model.json'))) return out;

  const cut = cutModel(source.onnx, {
    hidden: source.config.hidden_size,
    firstPosition: source.config.model_type === 'bert' ? 0 : (source.config.pad_token_id ?? 1) + 1,
    neutral,
  });
  const files = {
    'tokenizer.bin': compileTokenizer(
      parseJson<TokenizerJson>(join(dir, 'tokenizer.json'), source.tokenizer),
    ),
    'rows.bin': writeRows(cut.words, cut.positions),
    ...(packs && cut.packed
      ? { 'encoder.bin': cut.packed }
      : { 'encoder.onnx': cut.encoder.graph, [WEIGHTS]: cut.encoder.weights }),
  };
  const tokenizer = new Tokenizer(files['tokenizer.bin']);
  for (const [kind, prefix] of Object.entries(source.prefixes)) {
    const { length } = tokenizer.encode(prefix);
    if (length >= cut.maxTokens) {
      throw new Error(
        `The ${kind} prefix takes ${length} of the ${cut.maxTokens} tokens that ${dir} sees at once, which leaves none for a text: use a shorter one.`,
      );
    }
  }
  const model: CompiledModel = {
    format: FORMAT,
    name: source.name,
    hash: source.hash,
    neutral: neutral ? sha256(JSON.stringify(neutral)) : null,
    mean: neutral?.mean,
    dimensions: source.config.hidden_size,
    maxTokens: cut.maxTokens,
    prefixes: source.prefixes,
    calibration,
    engine: 'encoder.bin' in files ? 'packed' : 'onnx',
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

/** @throws a sentence that names the file, if its text is not JSON */
export function parseJson<T>(path: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Error(`${path} is not JSON (${(error as SyntaxError).message}): fetch the model anew.`);
  }
}

function sha256(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(createHash('sha256').update(part).digest());
  return hash.digest('hex');
}
