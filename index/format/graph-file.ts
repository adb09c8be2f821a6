import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { FileChecks } from './block-checks.ts';
import { type Format, readSections } from './container.ts';
import { damaged } from './damaged.ts';
import { DotProducts } from './dot-product.ts';
import { type Links, nearest } from './graph-search.ts';

/** `graph.bin`: the passages' vectors, and the links between near ones. FORMAT.md describes its layout. */
export const GRAPH: Format = { magic: 'PSGR', version: 1, sections: 7 };

/** A passage near a query. */
export interface Neighbor {
  ordinal: number;
  /** Cosine. */
  similarity: number;
}

/** Nearest-neighbor search over the passages' vectors. Queries are vectors of length 1, or a weighted mean of such vectors. */
export interface Graph {
  /**
   * Returns the k nearest passages, nearest first. May return fewer than there are.
   * @param ef candidates to keep during the search, at least k
   * @param allowed restricts the results to these ordinals
   */
  search(query: Float32Array, k: number, ef: number, allowed?: (ordinal: number) => boolean): Neighbor[];
  /** Returns a function from an ordinal to its cosine with the query. */
  similarities(query: Float32Array): (ordinal: number) => number;
}

/**
 * Reads a whole graph: every search visits passages all over the file.
 * @param dimensions numbers in a vector
 * @param checks of the file's blocks
 * @throws if the file is damaged or has another format. Without checks, a damaged link or factor is only found by a search that uses it
 */
export function openGraph(path: string, dimensions: number, checks?: FileChecks): Graph & Links {
  const fd = openSync(path, 'r');
  try {
    const products = new DotProducts(fstatSync(fd).size, dimensions);
    fill(products.bytes, fd, path);
    checks?.checkAll(products.bytes);
    return new GraphFile(products, dimensions, path);
  } finally {
    closeSync(fd);
  }
}

/** Reads a whole file. One call reads at most 2 GB. */
function fill(bytes: Uint8Array, fd: number, path: string): void {
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(fd, bytes, at, Math.min(bytes.length - at, 2 ** 30), at);
    if (count === 0) throw damaged(path, `it ends at byte ${at} of ${bytes.length}`);
    at += count;
  }
}

/** The bytes of a `graph.bin`. FORMAT.md describes each section. */
class GraphFile implements Graph, Links {
  readonly nodes: number;
  readonly entry: number;
  readonly top: number;
  readonly #path: string;
  readonly #products: DotProducts;
  readonly #dimensions: number;
  readonly #levels: Uint32Array;
  readonly #direction: Float32Array;
  readonly #factors: Float32Array;
  /** Where section 3 starts in the file. */
  readonly #numbersStart: number;
  readonly #starts: Uint32Array;
  readonly #links: Uint8Array;
  readonly #upper: Uint32Array;

  constructor(products: DotProducts, dimensions: number, path: string) {
    const sections = readSections(products.bytes, GRAPH, path);
    const [levels, direction, factors, numbers, starts, links, upper] = sections as Sections;
    this.nodes = factors.length / 8;
    const sizes = [levels, direction, factors, numbers, starts, upper].map(({ length }) => length);
    const fits =
      levels.length >= 8 &&
      [levels, upper].every(({ length }) => length % 4 === 0) &&
      Number.isInteger(this.nodes) &&
      direction.length === 4 * dimensions &&
      numbers.length === this.nodes * dimensions &&
      starts.length === 4 * (this.nodes + 1) + upper.length;
    if (!fits)
      throw damaged(path, `its sections of ${sizes.join(', ')} bytes do not fit ${dimensions} dimensions`);
    this.#path = path;
    this.#products = products;
    this.#dimensions = dimensions;
    this.#levels = words(levels);
    this.#direction = floats(direction);
    this.#factors = floats(factors);
    this.#numbersStart = numbers.byteOffset - products.bytes.byteOffset;
    this.#starts = words(starts);
    this.#links = links;
    this.#upper = words(upper);
    this.entry = this.#levels[0]!;
    this.top = this.#levels.length - 2;
    this.#check();
  }

  /** Checks the short sections. Lists, node numbers and factors are checked when they are used. */
  #check(): void {
    if (this.entry >= this.nodes)
      throw damaged(this.#path, `its entry node is ${this.entry} of ${this.nodes}`);
    const starts = this.#levels.subarray(1);
    if (starts[0] !== 0 || starts.at(-1) !== this.#upper.length || !isAscending(starts))
      throw damaged(this.#path, `its levels start at ${starts.join(', ')} of ${this.#upper.length} nodes`);
    if (!this.#direction.every(Number.isFinite))
      throw damaged(this.#path, 'its mean direction contains a number that is not finite');
  }

  search(query: Float32Array, k: number, ef: number, allowed?: (ordinal: number) => boolean): Neighbor[] {
    return nearest(this, this.similarities(query), Math.max(ef, k), allowed)
      .sort((a, b) => b.similarity - a.similarity || a.ordinal - b.ordinal)
      .slice(0, k);
  }

  neighbors(node: number, level: number): number[] {
    const list = level === 0 ? node : this.#upperList(node, level);
    const [start, end] = [this.#starts[list]!, this.#starts[list + 1]!];
    if (!(start <= end && end <= this.#links.length))
      throw damaged(this.#path, `list ${list} has bytes ${start} to ${end} of ${this.#links.length}`);
    const nodes: number[] = [];
    for (let at = start, value = 0; at < end; ) {
      for (let weight = 1, more = true; more; weight *= 128) {
        const byte = this.#links[at++]!;
        value += (byte & 127) * weight;
        more = byte > 127;
      }
      // Written so that NaN fails too: the weight of an endless number becomes infinite.
      if (at > end || !(value < this.nodes))
        throw damaged(this.#path, `list ${list} contains node ${value} of ${this.nodes}`);
      nodes.push(value);
    }
    return nodes;
  }

  /** Returns the number of a node's list on an upper level, by binary search. */
  #upperList(node: number, level: number): number {
    let low = this.#levels[level]!;
    let high = this.#levels[level + 1]! - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#upper[middle]! < node) low = middle + 1;
      else high = middle;
    }
    if (this.#upper[low] !== node) throw damaged(this.#path, `node ${node} has no list on level ${level}`);
    return this.nodes + low;
  }

  similarities(query: Float32Array): (node: number) => number {
    let along = 0;
    for (let i = 0; i < query.length; i++) along += query[i]! * this.#direction[i]!;
    const product = this.#products.prepare(query);
    const [factors, start, dimensions] = [this.#factors, this.#numbersStart, this.#dimensions];
    return (node) => {
      const factor = factors[2 * node]!;
      const scale = factors[2 * node + 1]!;
      // Also rejects a node outside the graph, because its factors are undefined.
      if (!Number.isFinite(factor + scale))
        throw damaged(this.#path, `node ${node} of ${this.nodes} has no valid vector`);
      // The part along the mean direction, plus the dot product with the rest of the vector.
      return along * factor + scale * product(start + node * dimensions);
    };
  }
}

/** One view for each section of the format. */
type Sections = [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];

const words = ({ buffer, byteOffset, length }: Uint8Array) => new Uint32Array(buffer, byteOffset, length / 4);
const floats = ({ buffer, byteOffset, length }: Uint8Array) =>
  new Float32Array(buffer, byteOffset, length / 4);
const isAscending = (values: Uint32Array) => values.every((value, i) => i === 0 || values[i - 1]! <= value);
