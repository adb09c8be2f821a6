/**
 * The assembled `dot-product.wat`. Its SIMD instructions are compiled before the first call. The same loop in JavaScript is
 * interpreted for the first thousands of runs, and takes four times as long after that.
 */
export const MODULE = Buffer.from(
  'AGFzbQEAAAABBwFgAn9/AX8CCAEBbQFtAgAAAwIBAAcHAQNkb3QAAApLAUkCAX8BewNAIAMgAP0BAwAgAv0ABAD9ugH9' +
    'rgEhAyAAQQhqIQAgAkEQaiICIAFJDQALIAP9GwAgA/0bAWogA/0bAmogA/0bA2oL',
  'base64',
);

/** The part of the WebAssembly API used here. TypeScript declares the API for browsers only. */
declare const WebAssembly: {
  Memory: new (limits: { initial: number }) => { buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: { m: { m: object } },
  ) => { exports: { dot(at: number, end: number): number } };
};

const PAGE = 65536;
/** Numbers multiplied by one instruction. The query is padded with zeros to a multiple of this. */
const LANES = 8;

/** Returns the dot product of one query and the vector that starts at a byte of `DotProducts.bytes`. */
type DotProduct = (at: number) => number;

/** A block of WebAssembly memory for vectors of 8-bit numbers, and their dot products with queries. */
export class DotProducts {
  /** The caller writes the vectors here. Starts at a multiple of 16. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The query in WebAssembly memory, with 16 bits a number. */
  readonly #query: Int16Array;
  /** The query whose numbers `#query` contains. */
  #loaded: Int16Array | undefined;
  readonly #dot: (at: number, end: number) => number;

  constructor(size: number, dimensions: number) {
    const padded = Math.ceil(dimensions / LANES) * LANES;
    const memory = new WebAssembly.Memory({ initial: Math.ceil((2 * padded + size + LANES) / PAGE) });
    this.#query = new Int16Array(memory.buffer, 0, padded);
    this.bytes = new Uint8Array(memory.buffer, 2 * padded, size);
    this.#dot = new WebAssembly.Instance(new WebAssembly.Module(MODULE), { m: { m: memory } }).exports.dot;
  }

  /**
   * Prepares a query, rounded to 16 bits a number. Each query keeps its own numbers and is loaded again if another query was used
   * in between, so any number of queries can be used in any order.
   */
  prepare(query: Float32Array): DotProduct {
    let max = 0;
    let sum = 0;
    for (let i = 0; i < query.length; i++) {
      const magnitude = Math.abs(query[i]!);
      sum += magnitude;
      if (magnitude > max) max = magnitude;
    }
    // The second bound keeps the sum of products, at most 127 times the sum of magnitudes, below 2 ** 31.
    const scale = Math.min(32767 / max, 2 ** 24 / sum);
    const numbers = new Int16Array(this.#query.length);
    for (let i = 0; i < query.length; i++) numbers[i] = Math.round(query[i]! * scale);
    const [dot, start, end] = [this.#dot, this.bytes.byteOffset, this.#query.byteLength];
    return (at) => {
      if (this.#loaded !== numbers) this.#query.set(numbers);
      this.#loaded = numbers;
      return dot(start + at, end) / scale;
    };
  }
}

/** The dot product of two vectors of the same length. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/**
 * The length of a vector: `Math.hypot(...vector)` as V8 computes it, with a compensated sum of the squares of shares of the largest
 * number. Spelled out, it is fast for many numbers, and the same in each version of V8.
 */
export function lengthOf(vector: Float32Array | Int8Array): number {
  let max = 0;
  for (let i = 0; i < vector.length; i++) max = Math.max(max, Math.abs(vector[i]!));
  if (max === 0) return 0;
  let sum = 0;
  let compensation = 0;
  for (let i = 0; i < vector.length; i++) {
    const share = Math.abs(vector[i]!) / max;
    const summand = share * share - compensation;
    const next = sum + summand;
    compensation = next - sum - summand;
    sum = next;
  }
  return Math.sqrt(sum) * max;
}
