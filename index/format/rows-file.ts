import type { FileChecks } from './checks.ts';
import { ContainerFile } from './container-file.ts';

/** `rows.bin`: word and position rows. FORMAT.md describes its layout. */
export const ROWS = { magic: 'PSRW', version: 1, sections: 3 } as const;

const SETTINGS = 16;
/** Word rows that are remembered: half a megabyte of the default model's. */
const MOST_KNOWN = 2000;
/** More columns than any model has. */
const MAX_COLUMNS = 65_536;

/** How the numbers of a row are stored, with the values in `rows.bin`. */
export const ROW_KINDS = { q4: 1, int8: 2, fp16: 3, fp32: 4 } as const;
export type RowKind = keyof typeof ROW_KINDS;

/** How to turn a row's bytes into numbers. Only int8 uses `scale` and `zero`. */
export interface RowLayout {
  kind: RowKind;
  columns: number;
  scale: number;
  zero: number;
}

/** Weights in a 4-bit block. Each block has one float16 scale; all scales follow the row's nibbles. */
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
    // Little work in the inner loop: at a cold start, it is interpreted.
    const half = BLOCK / 2;
    for (let block = 0; block < columns / BLOCK; block++) {
      const blockScale = float16(view.getUint16(columns / 2 + block * 2, true));
      let to = at + block * BLOCK;
      for (let from = block * half, end = from + half; from < end; from++, to++) {
        const byte = bytes[from]!;
        out[to]! += ((byte & 15) - 8) * blockScale;
        out[to + half]! += ((byte >> 4) - 8) * blockScale;
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

/** 2 ** (exponent - 15), which is slow to compute. */
const POWERS = Float32Array.from({ length: 31 }, (_, exponent) => 2 ** (exponent - 15));

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
        : (1 + fraction / 1024) * POWERS[exponent]!;
  return bits & 0x8000 ? -size : size;
}

/** The word and position rows of a compiled model, read from their file as needed. */
export class RowFile {
  readonly columns: number;
  /** Most tokens of a text. */
  readonly positions: number;
  readonly #file: ContainerFile;
  readonly #layout: RowLayout;
  /** The first word rows that were read. Nearly all texts share some. */
  readonly #known = new Map<number, Uint8Array>();

  /** @throws if the file is damaged or has another format */
  constructor(path: string, checks?: FileChecks) {
    this.#file = new ContainerFile(path, ROWS, checks);
    this.#layout = readLayout(this.#file);
    this.columns = this.#layout.columns;
    const rows = this.#file.length(1) / rowBytes(this.#layout);
    this.positions = this.#file.length(2) / (4 * this.columns);
    const fits = [rows, this.positions].every((count) => Number.isInteger(count) && count >= 1);
    this.#file.require(fits, `it has ${rows} word rows and ${this.positions} position rows`);
  }

  /**
   * The encoder's input: for each token its word row plus the row of its position.
   * @param ids at most `positions` token ids
   * @returns `ids.length * columns` numbers, token by token
   * @throws if there are more ids, or an id has no row
   */
  sum(ids: readonly number[]): Float32Array {
    if (ids.length > this.positions)
      throw this.#file.damaged(`it has ${this.positions} position rows, but a text has ${ids.length} tokens`);
    const bytes = new Uint8Array(ids.length * this.columns * 4);
    this.#file.fill(bytes, 2, 0);
    const out = new Float32Array(bytes.buffer);
    ids.forEach((id, i) => {
      const row = this.#known.get(id) ?? this.#read(id);
      if (this.#known.size < MOST_KNOWN) this.#known.set(id, row);
      addRow(this.#layout, row, out, i * this.columns);
    });
    return out;
  }

  #read(id: number): Uint8Array {
    const size = rowBytes(this.#layout);
    if (id * size >= this.#file.length(1))
      throw this.#file.damaged(`it has no row for token ${id} of tokenizer.bin`);
    return this.#file.read(1, id * size, size);
  }

  close(): void {
    this.#file.close();
  }
}

function readLayout(file: ContainerFile): RowLayout {
  const bytes = file.length(0);
  file.require(bytes === SETTINGS, `its settings have ${bytes} bytes instead of ${SETTINGS}`);
  const settings = file.read(0, 0, SETTINGS);
  const [number, columns] = [settings.readUInt16LE(0), settings.readUInt32LE(4)];
  const kind = (Object.keys(ROW_KINDS) as RowKind[]).find((name) => ROW_KINDS[name] === number);
  file.require(kind !== undefined, `it has rows of the unknown kind ${number}`);
  const fits = columns > 0 && columns <= MAX_COLUMNS && (kind !== 'q4' || columns % BLOCK === 0);
  file.require(fits, `its ${kind} rows have ${columns} columns`);
  return { kind: kind!, columns, scale: settings.readFloatLE(8), zero: settings.readInt16LE(2) };
}
