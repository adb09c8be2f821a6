import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Tokenizer } from '../embedding/tokenizer.ts';
import { describeFile } from '../format/checks.ts';
import {
  type Calibration,
  FORMAT,
  type LearnedTokens,
  type Neutral,
  readCompiledModel,
  withChecksum,
} from '../format/compiled-model.ts';
import { createDraft, removeAllStaleDrafts, replaceFolder } from '../format/drafts.ts';
import { compiledFolder, SHIPPED_MODEL } from '../format/installation.ts';
import { writeTokenCodebook } from '../format/tokens-file.ts';
import { explainFull } from '../format/writable.ts';
import { compileTokenizer, type TokenizerJson } from './compile-tokenizer.ts';
import { cutModel } from './cut-model.ts';
import { writeRows } from './lookup-tables.ts';
import { WEIGHTS } from './onnx-graph.ts';

/** The model of indexes that name no other. */
export const DEFAULT_MODEL = SHIPPED_MODEL;

/** The folder of compiled models. Each one's name is a hash of its source and of this compiler. */
export const COMPILED = compiledFolder('models');

/** Increased when the same source compiles to different files. */
const COMPILER = 5;

/** A model folder's `polyseek.json`: the results of `npx polyseek learn`. */
export interface Learned {
  neutral?: Neutral;
  calibration?: Calibration;
  tokens?: LearnedTokens;
}

interface Config {
  model_type?: string;
  hidden_size: number;
  num_hidden_layers?: number;
  pad_token_id?: number;
  position_embedding_type?: string;
  _name_or_path?: string;
}

/**
 * Reads a model folder in the layout of @xenova/transformers, compares it with its SHA256SUMS if it has one, and checks that polyseek
 * supports its kind.
 * @throws if a file is missing or has another hash, or polyseek does not support the model
 */
export function readModelSource(dir: string) {
  if (isCompiled(dir))
    throw new Error(
      `${dir} is a compiled model, but this needs its source. Import it with npx polyseek model, and name that folder with --model.`,
    );
  const has = (name: string): boolean => existsSync(join(dir, name));
  const read = (name: string): Buffer => {
    if (has(name)) return readFileSync(join(dir, name));
    throw new Error(
      `${dir} has no ${name}. A model folder needs config.json, tokenizer.json and onnx/model_quantized.onnx (or onnx/model.onnx).`,
    );
  };
  const json = <T>(name: string): T => parseJson<T>(join(dir, name), read(name).toString());
  const optional = <T>(name: string): T | undefined => (has(name) ? json<T>(name) : undefined);

  const config = json<Config>('config.json');
  const { model_type: type = '(none)', position_embedding_type: positions = 'absolute' } = config;
  if (!['bert', 'xlm-roberta', 'roberta'].includes(type) || positions !== 'absolute') {
    throw new Error(
      `${dir} has a model of type ${type} with ${positions} positions, but polyseek supports bert, roberta ` +
        'and xlm-roberta with absolute positions. Choose such a sentence model, for example a multilingual E5 model.',
    );
  }
  const pooling = optional<{ pooling_mode_mean_tokens?: boolean }>('1_Pooling/config.json');
  if (pooling?.pooling_mode_mean_tokens === false) {
    throw new Error(
      `${dir} does not use mean pooling (1_Pooling/config.json), but polyseek does. Choose a model with mean pooling.`,
    );
  }
  const onnxName = has('onnx/model_quantized.onnx') ? 'onnx/model_quantized.onnx' : 'onnx/model.onnx';
  const names = ['config.json', 'tokenizer.json', onnxName];
  const files = names.map(read);
  const digests = files.map(sha256Of);
  checkSums(dir, new Map(names.map((name, i) => [name, digests[i]!])));
  const { prompts = {} } =
    optional<{ prompts?: Record<string, string> }>('config_sentence_transformers.json') ?? {};
  const prefixes = { query: prompts.query ?? '', passage: prompts.document ?? prompts.passage ?? '' };
  return {
    name: nameOf(dir, config),
    config,
    tokenizer: files[1]!.toString(),
    onnx: files[2]!,
    prefixes,
    learned: optional<Learned>('polyseek.json') ?? {},
    hash: combined([...digests, sha256Of(JSON.stringify(prefixes))]),
  };
}

/**
 * Compiles a model folder, unless it was compiled before. Compiles a damaged result again. A folder that is a compiled model itself,
 * such as the npm package's default model, is the result.
 * @param options.neutral false omits the language axes, for learning them
 * @param options.tokens other token states than those of polyseek.json, for learning them
 * @param options.into the folder of compiled models
 * @param options.engine `onnx` compiles for ONNX Runtime even if the project's own engine can run the model
 * @returns the folder of the compiled model, its checksums compared
 * @throws if polyseek does not support the model
 */
export function compileModel(
  dir: string,
  options: { neutral?: boolean; tokens?: LearnedTokens; into?: string; engine?: 'onnx' } = {},
): string {
  if (isCompiled(dir) && Object.keys(options).every((name) => name === 'into')) {
    readCompiledModel(dir, true);
    return dir;
  }
  const source = readModelSource(dir);
  const { calibration = {} } = source.learned;
  const neutral = options.neutral === false ? undefined : source.learned.neutral;
  const learnedTokens = options.tokens ?? source.learned.tokens;
  // The engine does not compile on Windows, but ONNX Runtime includes binaries.
  const packs = options.engine !== 'onnx' && process.platform !== 'win32';
  const inputs = [
    `${COMPILER}.${FORMAT}`,
    source.hash,
    JSON.stringify([neutral, calibration, learnedTokens, packs]),
  ];
  const key = combined(inputs.map(sha256Of)).slice(0, 16);
  const into = options.into ?? COMPILED;
  const out = join(into, key);
  if (isIntact(out)) return out;

  const cut = cutModel(source.onnx, {
    hidden: source.config.hidden_size,
    firstPosition: source.config.model_type === 'bert' ? 0 : (source.config.pad_token_id ?? 1) + 1,
    neutral,
    stateLayer: learnedTokens?.layer,
  });
  const tokens = cut.hasStates ? learnedTokens : undefined;
  const files = {
    'tokenizer.bin': compileTokenizer(
      parseJson<TokenizerJson>(join(dir, 'tokenizer.json'), source.tokenizer),
    ),
    'rows.bin': writeRows(cut.words, cut.positions),
    ...(tokens && {
      'token-codes.bin': writeTokenCodebook({
        centers: {
          query: Float32Array.from(tokens.centers.query),
          passage: Float32Array.from(tokens.centers.passage),
        },
        codewords: Float32Array.from(tokens.codewords.flat()),
      }),
    }),
    ...(packs && cut.packed
      ? { 'encoder.bin': cut.packed }
      : { 'encoder.onnx': cut.encoder.graph, [WEIGHTS]: cut.encoder.weights }),
  };
  const tokenizer = new Tokenizer(files['tokenizer.bin']);
  for (const [kind, prefix] of Object.entries(source.prefixes)) {
    const { length } = tokenizer.encode(prefix);
    if (length >= cut.maxTokens) {
      throw new Error(
        `The ${kind} prefix has ${length} tokens, but ${dir} takes ${cut.maxTokens}, so none are left for a text. Use a shorter prefix.`,
      );
    }
  }
  const model = withChecksum({
    format: FORMAT,
    name: source.name,
    hash: source.hash,
    neutral: neutral ? combined([sha256Of(JSON.stringify(neutral))]) : null,
    mean: neutral?.mean,
    tokens: tokens && { layer: tokens.layer, hash: combined([sha256Of(JSON.stringify(tokens))]) },
    dimensions: source.config.hidden_size,
    maxTokens: cut.maxTokens,
    prefixes: source.prefixes,
    calibration,
    engine: 'encoder.bin' in files ? 'packed' : 'onnx',
    optimize: cut.optimize,
    files: Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, describeFile(bytes)])),
  });
  removeAllStaleDrafts(into);
  const draft = createDraft(out);
  try {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(draft, name), bytes);
    writeFileSync(join(draft, 'model.json'), `${JSON.stringify(model, null, 2)}\n`);
    // Another process may have compiled the same model meanwhile, and may be reading it.
    if (!isIntact(out)) replaceFolder(draft, out);
  } catch (error) {
    if (!isIntact(out)) throw explainFull(into, error);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return out;
}

/** The name of a model folder, or of a compiled model. Reads nothing large. */
export function modelName(dir: string): string {
  if (isCompiled(dir)) return readCompiledModel(dir, false).name;
  const path = join(dir, 'config.json');
  return nameOf(dir, parseJson<Config>(path, readFileSync(path, 'utf8')));
}

function nameOf(dir: string, config: Config): string {
  return basename(config._name_or_path || resolve(dir));
}

const isCompiled = (dir: string): boolean => existsSync(join(dir, 'model.json'));

function isIntact(dir: string): boolean {
  try {
    readCompiledModel(dir, true);
    return true;
  } catch {
    return false;
  }
}

/**
 * Parses the text of a model's file.
 * @throws an error that names the file if its text is not JSON
 */
export function parseJson<T>(path: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Error(`${path} is not JSON (${(error as SyntaxError).message}). Download the model again.`);
  }
}

/** A SHA-256 over others, all in hexadecimal. */
function combined(digests: string[]): string {
  return createHash('sha256')
    .update(Buffer.from(digests.join(''), 'hex'))
    .digest('hex');
}

/** The file of a model folder with the SHA-256 of the others, as of the program sha256sum. A folder from elsewhere may have none. */
export const SUMS = 'SHA256SUMS';

function sha256Of(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function formatSums(files: ReadonlyMap<string, string | Uint8Array>): string {
  const names = [...files.keys()].sort();
  return names.map((name) => `${sha256Of(files.get(name)!)}  ${name}\n`).join('');
}

/**
 * Compares the files of a model folder with its SHA256SUMS, if it has one.
 * @param known SHA-256 of files that were read already, by name
 * @throws for the first file that is missing or differs
 */
export function checkSums(dir: string, known: ReadonlyMap<string, string>): void {
  const path = join(dir, SUMS);
  if (!existsSync(path)) return;
  for (const line of readFileSync(path, 'utf8').trimEnd().split(/\r?\n/)) {
    const [, expected, name] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
    if (!expected || !name) throw new Error(`${path} has a line of another kind: ${line}. ${REMEDY}`);
    const file = join(dir, name);
    if (!existsSync(file)) throw new Error(`${file} is missing, but ${SUMS} lists it. ${REMEDY}`);
    const found = known.get(name) ?? sha256Of(readFileSync(file));
    if (found !== expected)
      throw new Error(
        `${file} is damaged or another model's: its SHA-256 is ${found.slice(0, 12)}…, but ${SUMS} says ${expected.slice(0, 12)}…. ${REMEDY}`,
      );
  }
}

const REMEDY = 'Restore the file, or import the model again with npx polyseek model.';
