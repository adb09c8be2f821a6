import { readFileSync } from 'node:fs';
import type { FileChecks } from './checks.ts';
import { copied, damaged, type Format, readSections, writeSections } from './container.ts';
import { ContainerFile, ContainerWriter } from './container-file.ts';

/** `token-codes.bin` of a compiled model: how token states are compressed. FORMAT.md describes its layout. */
export const TOKEN_CODES = { magic: 'PSTC', version: 1, sections: 3 } as const;

/** Numbers of a part of a token's state, and codewords of a part. */
export const PART = 4;
export const CODEWORDS = 16;

/** The learned compression of token states (product quantization; Jégou, Douze and Schmid 2011). */
export interface TokenCodebook {
  /** The mean of token states in texts of each kind in all languages, which is subtracted from each state. */
  centers: { query: Float32Array; passage: Float32Array };
  /** `CODEWORDS` codewords of `PART` numbers for each part of a state, part by part. */
  codewords: Float32Array;
}

export function writeTokenCodebook({ centers, codewords }: TokenCodebook): Uint8Array {
  return writeSections(TOKEN_CODES, [centers.query, centers.passage, codewords]);
}

/**
 * Reads a `token-codes.bin`.
 * @throws if the file is damaged or has another format
 */
export function readTokenCodebook(path: string, dimensions: number, checks?: FileChecks): TokenCodebook {
  const bytes = readFileSync(path);
  checks?.checkAll(bytes);
  const sections = readSections(bytes, TOKEN_CODES, path);
  const sizes = [dimensions, dimensions, CODEWORDS * dimensions];
  if (sections.some(({ byteLength }, i) => byteLength !== 4 * sizes[i]!))
    throw damaged(
      path,
      `its sections have ${sections.map(({ byteLength }) => byteLength / 4).join(', ')} numbers, but the model has ${dimensions} dimensions`,
    );
  const [query, passage, codewords] = sections.map((section) => new Float32Array(copied(section)));
  return { centers: { query: query!, passage: passage! }, codewords: codewords! };
}

/** `tokens.bin`: the compressed token states of each passage. FORMAT.md describes its layout. */
export const TOKENS: Format = { magic: 'PSTO', version: 1, sections: 3 };

/** Tokens whose codes are interleaved, so that one instruction reads a code of each. */
export const BLOCK_TOKENS = 16;

/** The codes of some passages, as the engine reads them. */
export interface TokenCodes {
  /** The blocks of the passages, one passage after the other. */
  codes: Uint8Array;
  counts: Uint32Array;
}

/** Bytes of the blocks of some tokens, with one byte for each two parts of a token's state. */
export function blockBytes(tokens: number, parts: number): number {
  return Math.ceil(tokens / BLOCK_TOKENS) * BLOCK_TOKENS * (parts / 2);
}

/** Where the codes of a token start. Each pair of parts is `BLOCK_TOKENS` bytes after the one before. */
export function firstByte(token: number, parts: number): number {
  return blockBytes(token - (token % BLOCK_TOKENS), parts) + (token % BLOCK_TOKENS);
}

/**
 * Interleaves the codes of a passage's tokens in blocks of `BLOCK_TOKENS`. Zeros fill the last block.
 * @param codes `parts` codes from 0 to 15 for each token
 */
export function interleave(codes: Uint8Array, parts: number): Uint8Array {
  const tokens = codes.length / parts;
  const blocks = new Uint8Array(blockBytes(tokens, parts));
  for (let token = 0; token < tokens; token++) {
    const first = firstByte(token, parts);
    for (let pair = 0; pair < parts / 2; pair++) {
      const at = token * parts + 2 * pair;
      blocks[first + pair * BLOCK_TOKENS] = codes[at]! | (codes[at + 1]! << 4);
    }
  }
  return blocks;
}

/** The codes of a passage's tokens, from blocks that `interleave` made. */
export function deinterleave(blocks: Uint8Array, tokens: number, parts: number): Uint8Array {
  const codes = new Uint8Array(tokens * parts);
  for (let token = 0; token < tokens; token++) {
    const first = firstByte(token, parts);
    for (let pair = 0; pair < parts / 2; pair++) {
      const byte = blocks[first + pair * BLOCK_TOKENS]!;
      codes[token * parts + 2 * pair] = byte & 15;
      codes[token * parts + 2 * pair + 1] = byte >> 4;
    }
  }
  return codes;
}

/** Writes a `tokens.bin`, passage by passage. A token's state has `parts` parts. */
export function tokensWriter(path: string, passages: number, parts: number) {
  const firsts = new Uint32Array(passages + 1);
  const counts = new Uint16Array(passages);
  const file = new ContainerWriter(path, TOKENS, [firsts.byteLength, counts.byteLength]);
  let passage = 0;
  return {
    /** Adds the codes of the next passage: `parts` for each of its tokens. */
    add(codes: Uint8Array): void {
      const count = codes.length / parts;
      counts[passage] = count;
      firsts[passage + 1] = firsts[passage]! + Math.ceil(count / BLOCK_TOKENS);
      passage++;
      file.append(interleave(codes, parts));
    },
    finish: () => file.finish([firsts, counts]),
  };
}

export class Tokens {
  readonly #file: ContainerFile;
  /** For each passage the number of its first block, and at the end the number of all blocks (u32). */
  readonly #firsts: Buffer;
  /** For each passage its tokens (u16). */
  readonly #counts: Buffer;
  readonly #block: number;

  /** @throws if the file is damaged or has another format. A damaged passage is only found by a search that uses it */
  constructor(path: string, parts: number, passages: number, checks?: FileChecks) {
    this.#file = new ContainerFile(path, TOKENS, checks);
    this.#block = blockBytes(BLOCK_TOKENS, parts);
    this.#firsts = this.#file.read(0, 0, this.#file.length(0));
    this.#counts = this.#file.read(1, 0, this.#file.length(1));
    const fits =
      this.#firsts.length === 4 * (passages + 1) &&
      this.#counts.length === 2 * passages &&
      this.#firsts.readUInt32LE(4 * passages) * this.#block === this.#file.length(2);
    this.#file.require(fits, `its sections do not fit ${passages} passages with ${parts} parts`);
  }

  read(passages: readonly number[]): TokenCodes {
    const counts = new Uint32Array(passages.length);
    let size = 0;
    passages.forEach((passage, i) => {
      counts[i] = this.#count(passage);
      size += this.#bytes(counts[i]);
    });
    // Zeros would take as long as the reads.
    const codes = Buffer.allocUnsafeSlow(size);
    let at = 0;
    passages.forEach((passage, i) => {
      const part = codes.subarray(at, at + this.#bytes(counts[i]!));
      this.#file.fill(part, 2, this.#firsts.readUInt32LE(4 * passage) * this.#block);
      at += part.length;
    });
    return { codes, counts };
  }

  #bytes(tokens: number): number {
    return Math.ceil(tokens / BLOCK_TOKENS) * this.#block;
  }

  #count(passage: number): number {
    const passages = this.#counts.length / 2;
    if (!(passage < passages)) throw this.#file.damaged(`it has no passage ${passage} of ${passages}`);
    const count = this.#counts.readUInt16LE(2 * passage);
    const first = this.#firsts.readUInt32LE(4 * passage);
    const end = this.#firsts.readUInt32LE(4 * passage + 4);
    if (end - first !== Math.ceil(count / BLOCK_TOKENS))
      throw this.#file.damaged(`passage ${passage} has ${count} tokens in the blocks ${first} to ${end}`);
    return count;
  }

  close(): void {
    this.#file.close();
  }
}
