/**
 * A WebAssembly module of one function, in the binary format of the WebAssembly core specification 2.0, chapter 5. Its vector instructions
 * are compiled before the first call, where a loop in JavaScript is interpreted until it has run thousands of times, and takes four times
 * as long thereafter. The sum is one of whole numbers, and so the same on any processor.
 *
 *     dot(at: i32, end: i32) -> i32   sum of the products of i8 numbers from byte `at` and of i16 numbers from byte 0 to `end`
 */
const MODULE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version 1
  ...[0x01, 0x07, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f], // types: (i32, i32) -> i32
  ...[0x02, 0x08, 0x01, 0x01, 0x6d, 0x01, 0x6d, 0x02, 0x00, 0x00], // imports: memory m.m
  ...[0x03, 0x02, 0x01, 0x00], // functions: one, of type 0
  ...[0x07, 0x07, 0x01, 0x03, 0x64, 0x6f, 0x74, 0x00, 0x00], // exports: function 0 as dot
  ...[0x0a, 0x4b, 0x01, 0x49], // code: one body of 73 bytes
  ...[0x02, 0x01, 0x7f, 0x01, 0x7b], // after at (0) and end (1), locals: query (2) i32, sums (3) v128
  ...[0x03, 0x40], // loop
  ...[0x20, 0x03], // sums
  ...[0x20, 0x00, 0xfd, 0x01, 0x03, 0x00], // v128.load8x8_s at
  ...[0x20, 0x02, 0xfd, 0x00, 0x04, 0x00], // v128.load query
  ...[0xfd, 0xba, 0x01, 0xfd, 0xae, 0x01, 0x21, 0x03], // i32x4.dot_i16x8_s, i32x4.add, to sums
  ...[0x20, 0x00, 0x41, 0x08, 0x6a, 0x21, 0x00], // at + 8, to at
  ...[0x20, 0x02, 0x41, 0x10, 0x6a, 0x22, 0x02], // query + 16, to query
  ...[0x20, 0x01, 0x49, 0x0d, 0x00, 0x0b], // again while below end
  ...[0x20, 0x03, 0xfd, 0x1b, 0x00], // lane 0 of sums
  ...[0x20, 0x03, 0xfd, 0x1b, 0x01, 0x6a], // and lane 1
  ...[0x20, 0x03, 0xfd, 0x1b, 0x02, 0x6a], // and lane 2
  ...[0x20, 0x03, 0xfd, 0x1b, 0x03, 0x6a, 0x0b], // and lane 3
);

/** What is used of WebAssembly's interface; TypeScript declares it for browsers alone. */
declare const WebAssembly: {
  Memory: new (limits: { initial: number }) => { buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: { m: { m: object } },
  ) => { exports: { dot(at: number, end: number): number } };
};

const PAGE = 65536;
/** Numbers that one instruction multiplies. Bytes behind a vector are multiplied by zeros. */
const LANES = 8;

/** Bytes with vectors of 8 bits a number among them, and their products with a query. */
export class DotProducts {
  /** To be filled; starts at a multiple of 16. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #query: Int16Array;
  readonly #dot: (at: number, end: number) => number;

  constructor(size: number, dimensions: number) {
    const numbers = Math.ceil(dimensions / LANES) * LANES;
    const memory = new WebAssembly.Memory({ initial: Math.ceil((2 * numbers + size + LANES) / PAGE) });
    this.#query = new Int16Array(memory.buffer, 0, numbers);
    this.bytes = new Uint8Array(memory.buffer, 2 * numbers, size);
    this.#dot = new WebAssembly.Instance(new WebAssembly.Module(MODULE), { m: { m: memory } }).exports.dot;
  }

  /** The product of a query, rounded to 16 bits a number, with the vector that starts at a place in `bytes`; until another query comes. */
  with(query: Float32Array): (at: number) => number {
    let most = 0;
    let sum = 0;
    for (let i = 0; i < query.length; i++) {
      const size = Math.abs(query[i]!);
      sum += size;
      if (size > most) most = size;
    }
    // The second bound keeps the sum of products, at most 127 times the sum of sizes, below 2 ** 31.
    const scale = Math.min(32767 / most, 2 ** 24 / sum);
    for (let i = 0; i < query.length; i++) this.#query[i] = Math.round(query[i]! * scale);
    const [dot, start, end] = [this.#dot, this.bytes.byteOffset, this.#query.byteLength];
    return (at) => dot(start + at, end) / scale;
  }
}
