import { readFileSync } from 'node:fs';
import type { FileChecks } from './block-checks.ts';
import { readSections, writeSections } from './container.ts';
import { damaged } from './damaged.ts';

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
  return writeSections(TOKEN_CODES, [centers.query, centers.passage, codewords].map(bytesOf));
}

/**
 * Reads a `token-codes.bin`.
 * @param dimensions of the model
 * @param checks of the file's blocks
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
  const [query, passage, codewords] = sections.map(
    ({ buffer, byteOffset, byteLength }) =>
      // Copied, because a section starts at a multiple of 8 of the file, but the file may be part of a larger buffer.
      new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)),
  ) as [Float32Array, Float32Array, Float32Array];
  return { centers: { query, passage }, codewords };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
