import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkFiles, type FileList, type FolderChecks, isFileList } from './checks.ts';
import { damaged } from './container.ts';
import { digestOf, readDigestedObject } from './json-file.ts';
import {
  type Check,
  isBoolean,
  isListOf,
  isNumber,
  isOptional,
  isShaped,
  isText,
  isWhole,
} from './shapes.ts';

/** The components that a model's vectors share within a language, and across all languages; see compile/language-axes.ts. */
export interface Neutral {
  /** Language directions (Yang et al. 2021), orthonormal rows. */
  axes: number[][];
  /** The mean of the vectors of texts in all languages, after the axes are removed. */
  mean: number[];
}

/** The compression of token states; see compile/token-codebook.ts. */
export interface LearnedTokens {
  /** The layer whose output are the token states, from 1. */
  layer: number;
  /** The mean of token states in texts of each kind. */
  centers: { query: number[]; passage: number[] };
  /** A row for each part of a state: its codewords. */
  codewords: number[][];
}

/** confidence = 1 / (1 + exp(-(slope * score + intercept))). */
export interface Logistic {
  slope: number;
  intercept: number;
}

/** Logistic regression: a weight for each value. */
export interface LinearModel {
  weights: number[];
  intercept: number;
}

/** The results of `npx polyseek learn` that turn scores into confidences. Parts that were never learned are missing. */
export interface Calibration {
  /** On the evidence (search/confidence.ts), for an index with token states, and for one without. */
  hybrid?: { tokens?: LinearModel; vectors?: LinearModel };
  semantic?: { tokens?: LinearModel; vectors?: LinearModel };
  lexical?: Logistic;
  /** On a question's vector: whether it asks something. */
  asks?: LinearModel;
}

export type Engine = 'packed' | 'onnx';

/** `model.json` of a compiled model: its properties and its files. */
export interface CompiledModel {
  format: typeof FORMAT;
  name: string;
  /** SHA-256 of the model's source files. */
  hash: string;
  /** SHA-256 of the language axes folded into the encoder, and of the mean; null without them. */
  neutral: string | null;
  /** The mean of the model's vectors, if it was learned. */
  mean?: number[];
  /** The layer whose output are the token states, from 1, and a SHA-256 of their compression. Missing if it was not learned. */
  tokens?: { layer: number; hash: string };
  dimensions: number;
  /** Most tokens of a text, begin and end included. */
  maxTokens: number;
  prefixes: { query: string; passage: string };
  calibration: Calibration;
  /** The engine for the encoder: the project's own (`encoder.bin`), or ONNX Runtime (`encoder.onnx`). */
  engine: Engine;
  /** Whether ONNX Runtime should fuse the graph when it opens it. */
  optimize: boolean;
  files: FileList;
  /** The first 12 hexadecimal digits of a SHA-256 over all other keys. */
  checksum: string;
}

export const FORMAT = 6;

/** More dimensions or tokens than any model has. */
const MOST = 65_536;

const areNumbers = isListOf(isNumber);
const isLinear = isOptional(isShaped({ weights: areNumbers, intercept: isNumber }));
const isLinearPair = isOptional(isShaped({ tokens: isLinear, vectors: isLinear }));
const SHAPE: Record<Exclude<keyof CompiledModel, 'format' | 'checksum'>, Check> = {
  name: isText,
  hash: isText,
  neutral: (value) => value === null || isText(value),
  mean: isOptional(isListOf(isNumber)),
  tokens: isOptional(isShaped({ layer: isWhole(1, 1000), hash: isText })),
  dimensions: isWhole(1, MOST),
  maxTokens: isWhole(3, MOST),
  prefixes: isShaped({ query: isText, passage: isText }),
  calibration: isShaped({
    hybrid: isLinearPair,
    semantic: isLinearPair,
    lexical: isOptional(isShaped({ slope: isNumber, intercept: isNumber })),
    asks: isLinear,
  }),
  engine: (value) => value === 'packed' || value === 'onnx',
  optimize: isBoolean,
  files: isFileList,
};

/** Adds the checksum that `readCompiledModel` compares. */
export function withChecksum(model: Omit<CompiledModel, 'checksum'>): CompiledModel {
  return { ...model, checksum: digestOf(model) };
}

/**
 * Reads `model.json` of a compiled model and checks it.
 * @param verify also compare every file's checksum; false compares sizes only. Or the checks of the folder, for this file
 * @throws if there is no model, its format differs, or a file is missing or damaged
 */
export function readCompiledModel(dir: string, verify: boolean | FolderChecks): CompiledModel {
  const path = join(dir, 'model.json');
  if (!existsSync(path))
    throw new Error(`${dir} is not a compiled model: it has no model.json. Run npx polyseek index again.`);
  const checks = typeof verify === 'object' ? verify.of('model.json') : undefined;
  const compiled = readDigestedObject(path, FORMAT, 'checksum', SHAPE, checks) as unknown as CompiledModel;
  if (compiled.mean && compiled.mean.length !== compiled.dimensions)
    throw damaged(
      path,
      `its mean has ${compiled.mean.length} numbers, but a vector has ${compiled.dimensions}`,
    );
  checkFiles(dir, compiled.files, verify === true);
  return compiled;
}
