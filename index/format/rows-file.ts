import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { headBytes, readHead } from './container.ts';

/** Names and order of the sections of `rows.bin`; FORMAT.md beside this file says what each holds. */
export const ROWS = { magic: 'PSRW', version: 1, sections: 3 } as const;

/** How the numbers of a row are stored. The values stand in `rows.bin`. */
export const ROW_KINDS = { q4: 1, int8: 2, fp16: 3, fp32: 4 } as const;
export type RowKind = keyof typeof ROW_KINDS;

/** What is needed to turn a row's bytes into numbers. `scale` and `zero` are used by int8 alone. */
export interface RowLayout {
  kind: RowKind;
  columns: number;
  scale: number;
  zero: number;
}

/** Weights to a 4-bit block; each block has one float16 scale, all of which follow the row's nibbles. */
const BLOCK = 32;

export function rowBytes({ kind, columns }: RowLayout): number {
  return { q4: columns / 2 + (columns / BLOCK) * 2, int8: columns, fp16: columns * 2, fp32: columns * 4 }[
    kind
  ];
}

/** Adds the row in `bytes` to `out[at, at + columns)`. */
export function addRow(
  { kind, columns, scale, zero }: RowLayout,
  bytes: Uint8Array,
  out: Float32Array,
  at: number,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === 'q4') {
    for (let block = 0; block < columns / BLOCK; block++) {
      const blockScale = float16(view.getUint16(columns / 2 + block * 2, true));
      for (let j = 0; j < BLOCK / 2; j++) {
        const byte = bytes[(block * BLOCK) / 2 + j]!;
        out[at + block * BLOCK + j]! += ((byte & 15) - 8) * blockScale;
        out[at + block * BLOCK + BLOCK / 2 + j]! += ((byte >> 4) - 8) * blockScale;
      }
    }
    return;
  }
  for (let j = 0; j < columns; j++) {
    if (kind === 'int8') out[at + j]! += (bytes[j]! - zero) * scale;
    else if (kind === 'fp16') out[at + j]! += float16(view.getUint16(j * 2, true));
    else out[at + j]! += view.getFloat32(j * 4, true);
  }
}

/** The number in an IEEE 754 half. */
export function float16(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction
          ? NaN
          : Infinity
        : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}

/** The word and position rows of a compiled model, read from their file as they are needed and never loaded whole. */
export class RowFile {
  readonly columns: number;
  /** Positions the model knows: the most tokens it can see at once. */
  readonly positions: number;
  readonly #fd: number;
  readonly #layout: RowLayout;
  readonly #words: { start: number; length: number };
  readonly #positionStart: number;

  /** @throws if the file is not a `rows.bin` of this version or was cut short */
  constructor(path: string) {
    this.#fd = openSync(path, 'r');
    const head = this.#read(0, headBytes(ROWS.sections) + 16);
    const [settings, words, positions] = readHead(head, ROWS, 'rows.bin', fstatSync(this.#fd).size);
    const view = new DataView(head.buffer, head.byteOffset + settings!.start, 16);
    const kind = (Object.keys(ROW_KINDS) as RowKind[]).find(
      (name) => ROW_KINDS[name] === view.getUint16(0, true),
    );
    if (!kind)
      throw new Error(
        `rows.bin has rows of kind ${view.getUint16(0, true)}, which this polyseek does not know: build it again.`,
      );
    this.columns = view.getUint32(4, true);
    this.#layout = {
      kind,
      columns: this.columns,
      scale: view.getFloat32(8, true),
      zero: view.getInt16(2, true),
    };
    this.#words = words!;
    this.#positionStart = positions!.start;
    this.positions = positions!.length / (this.columns * 4);
  }

  /**
   * What the encoder takes: for each token its word row plus the row of its position.
   * @param ids at most `positions` token ids
   * @returns `ids.length * columns` numbers, token by token
   */
  sum(ids: readonly number[]): Float32Array {
    const bytes = this.#read(this.#positionStart, ids.length * this.columns * 4);
    const out = new Float32Array(bytes.buffer, bytes.byteOffset, ids.length * this.columns);
    const size = rowBytes(this.#layout);
    const row = new Uint8Array(size);
    ids.forEach((id, i) => {
      if (id * size >= this.#words.length)
        throw new RangeError(`Token ${id} has no row in rows.bin: it belongs to another model.`);
      readSync(this.#fd, row, 0, size, this.#words.start + id * size);
      addRow(this.#layout, row, out, i * this.columns);
    });
    return out;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #read(start: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, length, start));
  }
}
