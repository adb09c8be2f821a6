import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkFiles, type FileList } from './checksums.ts';
import type { Mode } from './mode.ts';

/** What a model's vectors have in common within a language, and in all; see `compile/neutral.ts`. */
export interface Neutral {
  /** Language directions (Yang et al. 2021), orthonormal rows. */
  axes: number[][];
  /** The mean of the vectors of any text in any language, once the axes are taken out of them. */
  mean: number[];
}

/** confidence = 1 / (1 + exp(-(slope * score + intercept))). */
export interface Logistic {
  slope: number;
  intercept: number;
}

export type Engine = 'packed' | 'onnx';

/** `model.json` of a compiled model: what was compiled, and the files that hold it. */
export interface CompiledModel {
  format: typeof FORMAT;
  name: string;
  /** SHA-256 of the model's own files. */
  hash: string;
  /** SHA-256 of the language axes folded into the encoder, and of the mean; null without. */
  neutral: string | null;
  /** The mean of the model's vectors; missing where it was not learned. */
  mean?: number[];
  dimensions: number;
  /** Tokens the model sees at once, begin and end included. */
  maxTokens: number;
  prefixes: { query: string; passage: string };
  /** Missing for a mode that was never calibrated. */
  calibration: Partial<Record<Mode, Logistic>>;
  /** What runs the encoder: the project's own engine (`encoder.bin`), or ONNX Runtime (`encoder.onnx`). */
  engine: Engine;
  /** Whether ONNX Runtime should fuse the graph when it opens it. */
  optimize: boolean;
  files: FileList;
}

export const FORMAT = 3;

/**
 * Reads `model.json` of a compiled model.
 * @param verify also compare every file's checksum; without it only sizes
 * @throws if the format is another version's or a file is missing, of another size or (verified) damaged
 */
export function readCompiledModel(dir: string, verify: boolean): CompiledModel {
  const model = JSON.parse(readFileSync(join(dir, 'model.json'), 'utf8')) as CompiledModel;
  if (model.format !== FORMAT) {
    throw new Error(
      `The compiled model has format ${model.format}, but this polyseek reads ${FORMAT}: compile it again with npm run build-index.`,
    );
  }
  checkFiles(dir, model.files, verify);
  return model;
}
