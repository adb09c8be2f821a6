import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadLibrary } from '#native';
import { checkFiles, compareBlocks, type FolderChecks, openChecks } from '../format/checks.ts';
import { type CompiledModel, readCompiledModel } from '../format/compiled-model.ts';
import { damaged } from '../format/container.ts';
import { RowFile } from '../format/rows-file.ts';
import { readTokenCodebook, type TokenCodebook } from '../format/tokens-file.ts';
import { type Encoder, PackedEncoder } from './encoder.ts';
import { createTokenEmbedder, type OwnTokens, type TokenEmbedder } from './token-embedder.ts';
import { nativeMatcher, plainMatcher, type TokenMatcher } from './token-matcher.ts';
import { Tokenizer } from './tokenizer.ts';

/** The role of a text. Each kind has its own prefix. */
export type TextKind = 'query' | 'passage';

export interface TextEmbedder {
  readonly model: CompiledModel;
  /** Missing for a model without token states. */
  readonly byToken?: TokenEmbedder;
  /** The vector of a text, of length 1. A text with a kind gets the kind's prefix. */
  embed(text: string, kind?: TextKind): Promise<Float32Array>;
}

/** An embedder that also counts tokens, so that a question can be refused before it costs anything. */
export interface QuestionEmbedder extends TextEmbedder {
  /** Number of model tokens of a text, with the prefix of its kind, begin and end. Cheap compared with `embed`. */
  tokens(text: string, kind?: TextKind): number;
}

/** An open compiled model: text to language-neutral, normalized vector. */
export class Embedder implements QuestionEmbedder {
  readonly model: CompiledModel;
  readonly byToken?: TokenEmbedder;
  readonly #tokenizer: Tokenizer;
  readonly #rows: RowFile;
  readonly #encoder: Encoder;
  /** A question is counted before it is embedded: its tokens are kept in between. */
  #last: { text: string; ids: number[] } | undefined;
  /** Tokens before a text's own, once they were counted. */
  readonly #before: Partial<Record<TextKind, number>> = {};

  private constructor(
    model: CompiledModel,
    tokenizer: Tokenizer,
    rows: RowFile,
    encoder: Encoder,
    tokens: { codebook: TokenCodebook; match: TokenMatcher } | undefined,
  ) {
    this.model = model;
    this.#tokenizer = tokenizer;
    this.#rows = rows;
    this.#encoder = encoder;
    if (!tokens) return;
    this.byToken = createTokenEmbedder({
      tokenizer,
      ...tokens,
      prefixes: model.prefixes,
      encode: (text, kind) => this.#encodeTokens(text, kind),
    });
  }

  /**
   * @param dir a compiled model
   * @throws if a file is missing or damaged, or has another format
   */
  static async open(dir: string, { verify }: { verify: Verification }): Promise<Embedder> {
    const isPacked = existsSync(join(dir, 'encoder.bin'));
    const checks = verify === 'blocks' ? await openFor(dir, isPacked) : undefined;
    const model = readCompiledModel(dir, checks ?? verify !== false);
    const path = join(dir, 'tokenizer.bin');
    // A question needs a hundredth of the file.
    const isMapped = checks && model.engine === 'packed';
    const bytes = isMapped ? (await loadLibrary()).map(path) : readFileSync(path);
    const tokenizer = new Tokenizer(bytes, path, checks?.of('tokenizer.bin'));
    const rows = new RowFile(join(dir, 'rows.bin'), checks?.of('rows.bin'));
    try {
      const { dimensions, maxTokens } = model;
      if (rows.columns !== dimensions || rows.positions < maxTokens)
        throw damaged(
          join(dir, 'rows.bin'),
          `it has ${rows.columns} columns and ${rows.positions} position rows, but the model has ${dimensions} dimensions and ${maxTokens} tokens`,
        );
      const encoder = await openEncoder(dir, model, checks);
      return new Embedder(model, tokenizer, rows, encoder, await openTokens(dir, model, checks));
    } catch (error) {
      // A function tries again with each question.
      rows.close();
      throw error;
    }
  }

  /** The token ids of a text with the prefix of its kind, begin and end tokens included. */
  ids(text: string, kind?: TextKind): number[] {
    const whole = this.#prefix(kind) + text;
    if (this.#last?.text !== whole) this.#last = { text: whole, ids: this.#tokenizer.encode(whole) };
    return this.#last.ids;
  }

  tokens(text: string, kind?: TextKind): number {
    return this.ids(text, kind).length;
  }

  /**
   * A text longer than the model's maximum is cut into windows of equal length, each with the prefix. Its vector is the mean of the
   * windows' vectors, so its end counts as much as its beginning.
   */
  async embed(text: string, kind?: TextKind): Promise<Float32Array> {
    const ids = this.ids(text, kind);
    if (ids.length <= this.model.maxTokens) return this.#run(ids);
    const prefix = this.#tokenizer.encode(this.#prefix(kind)).slice(0, -1);
    const body = this.#tokenizer.pieces(text);
    const space = this.model.maxTokens - prefix.length - 1;
    if (space < 1)
      throw new Error(
        `The ${kind} prefix of the model ${this.model.name} leaves no tokens for a text. Use a shorter one.`,
      );
    const windows = Math.ceil(body.length / space);
    const mean = new Float32Array(this.model.dimensions);
    for (let i = 0; i < windows; i++) {
      const part = body.slice(
        Math.floor((i * body.length) / windows),
        Math.floor(((i + 1) * body.length) / windows),
      );
      const vector = await this.#run([...prefix, ...part, this.#tokenizer.end]);
      for (let j = 0; j < mean.length; j++) mean[j]! += vector[j]!;
    }
    return normalized(mean);
  }

  /** The states of a text's own tokens as the encoder outputs them, for learning their compression. */
  async rawStates(text: string, kind: TextKind): Promise<Float32Array> {
    return (await this.#encodeTokens(text, kind)).states;
  }

  /** Ignores the states of tokens after the model's maximum. Only a passage with a long title has so many. */
  async #encodeTokens(text: string, kind: TextKind): Promise<OwnTokens> {
    const { maxTokens, dimensions } = this.model;
    const all = this.ids(text, kind);
    const ids = all.slice(0, maxTokens);
    ids[ids.length - 1] = this.#tokenizer.end;
    const run = await this.#encoder.runWithStates(this.#rows.sum(ids));
    const { states } = run;
    const vector = all.length > maxTokens ? await this.embed(text, kind) : run.vector;
    this.#before[kind] ??= this.#tokenizer.encode(this.#prefix(kind)).length - 1;
    const before = this.#before[kind];
    return {
      vector,
      ids: ids.slice(before, -1),
      states: states.subarray(before * dimensions, states.length - dimensions),
    };
  }

  #run(ids: number[]): Promise<Float32Array> {
    return this.#encoder.run(this.#rows.sum(ids));
  }

  #prefix(kind: TextKind | undefined): string {
    return kind ? this.model.prefixes[kind] : '';
  }
}

/** Opens a compiled model's compression of token states, and the engine that compares them. */
export async function openTokens(
  dir: string,
  { tokens, dimensions, engine }: CompiledModel,
  checks?: FolderChecks,
): Promise<{ codebook: TokenCodebook; match: TokenMatcher } | undefined> {
  if (!tokens) return undefined;
  const codebook = readTokenCodebook(join(dir, 'token-codes.bin'), dimensions, checks?.of('token-codes.bin'));
  const { codewords } = codebook;
  const match = engine === 'packed' ? nativeMatcher(await loadLibrary(), codewords) : plainMatcher(codewords);
  return { codebook, match };
}

/** Scales a vector to length 1, in place. */
export function normalized(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  for (let i = 0; i < vector.length; i++) vector[i]! /= length;
  return vector;
}

/**
 * Opens a compiled model's encoder with the engine that it was compiled for. The other engine is not loaded.
 * @param checks of the folder, which nobody changes then: the encoder stays in the file and needs no memory of its own
 * @throws if the encoder is damaged, or does not belong to the model
 */
async function openEncoder(dir: string, model: CompiledModel, checks?: FolderChecks): Promise<Encoder> {
  const { dimensions, maxTokens, optimize, tokens } = model;
  if (model.engine === 'onnx') {
    const { OnnxEncoder } = await import('./onnx-encoder.ts');
    const { 'encoder.onnx': graph, 'weights.bin': weights } = model.files;
    // Node's CRC-32 is faster than our CRC-32C without the native library.
    if (checks) checkFiles(dir, { 'encoder.onnx': graph!, 'weights.bin': weights! }, true);
    return OnnxEncoder.open(join(dir, 'encoder.onnx'), dimensions, optimize);
  }
  const path = join(dir, 'encoder.bin');
  const library = await loadLibrary();
  const bytes = checks ? library.map(path, true) : readFileSync(path);
  checks?.of('encoder.bin').checkAll(bytes);
  const encoder = new PackedEncoder(path, bytes, library, { layer: tokens?.layer });
  if (encoder.columns !== dimensions || encoder.maxTokens < maxTokens) {
    throw damaged(
      path,
      `it has ${encoder.columns} columns and ${encoder.maxTokens} tokens, but the model has ${dimensions} dimensions and ${maxTokens} tokens`,
    );
  }
  return encoder;
}

/**
 * How to verify the files of an index or a model when they are opened: true compares the checksums of whole files, false only their
 * sizes. `blocks` compares each block of a file when it is first read, if the folder has a `checks.bin`; otherwise it is like true.
 */
export type Verification = boolean | 'blocks';

/** Opens the `checks.bin` of an index that a model searches; undefined if there is none. */
export function openIndexChecks(dir: string, { engine }: CompiledModel): Promise<FolderChecks | undefined> {
  return openFor(dir, engine === 'packed');
}

/** @param hasLibrary whether there is a native library for the comparison */
async function openFor(dir: string, hasLibrary: boolean): Promise<FolderChecks | undefined> {
  return openChecks(dir, hasLibrary ? (await loadLibrary()).compareBlocks : compareBlocks);
}
