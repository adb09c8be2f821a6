import { closeSync, fstatSync, openSync } from 'node:fs';
import type { FileChecks } from './checks.ts';
import { damaged, type Format, readSections } from './container.ts';
import { ContainerWriter, readExactly } from './container-file.ts';
import { Heap } from './heap.ts';
import { writeAscending } from './varint.ts';
import { DotProducts } from './vectors.ts';

/** `graph.bin`: the passages' vectors, and the links between near ones. FORMAT.md describes its layout. */
export const GRAPH: Format = { magic: 'PSGR', version: 1, sections: 7 };

/** A passage near a query. */
export interface Neighbor {
  ordinal: number;
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
    readExactly(fd, products.bytes, 0, path);
    checks?.checkAll(products.bytes);
    return new GraphFile(products, dimensions, path);
  } finally {
    closeSync(fd);
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

/** The links of a hierarchical navigable small world (HNSW) graph. */
export interface Links {
  nodes: number;
  /** The node where every search starts. It is on all levels. */
  entry: number;
  /** The top level, counted from 0. */
  top: number;
  /** Returns the nodes linked to a node on one of its levels. */
  neighbors(node: number, level: number): readonly number[];
}

type Similarity = (node: number) => number;

/**
 * Searches a graph for the `ef` nearest nodes. Returns them in no order (Malkov and Yashunin 2016, arXiv:1603.09320, algorithms 2 and 5).
 * @param allowed restricts the results. The search still passes through all nodes, as in hnswlib
 */
export function nearest(
  links: Links,
  similarity: Similarity,
  ef: number,
  allowed?: (node: number) => boolean,
): { ordinal: number; similarity: number }[] {
  const visited = new Uint8Array(links.nodes);
  // Keys are negative similarities in the first heap, so that the nearest candidate is on top.
  const candidates = new Heap();
  const found = new Heap();
  const entry = descend(links, similarity);
  const entrySimilarity = similarity(entry);
  visited[entry] = 1;
  candidates.push(-entrySimilarity, entry);
  if (!allowed || allowed(entry)) found.push(entrySimilarity, entry);
  while (candidates.size > 0) {
    if (found.size === ef && -candidates.minKey < found.minKey) break;
    const neighbors = links.neighbors(candidates.pop(), 0);
    for (let i = 0; i < neighbors.length; i++) {
      const node = neighbors[i]!;
      if (visited[node]) continue;
      visited[node] = 1;
      const value = similarity(node);
      if (found.size === ef && value <= found.minKey) continue;
      candidates.push(-value, node);
      if (allowed && !allowed(node)) continue;
      found.push(value, node);
      if (found.size > ef) found.pop();
    }
  }
  return found.entries().map(({ key, ordinal }) => ({ ordinal, similarity: key }));
}

/** On each level from the top down to 1, moves to the nearest neighbor until none is nearer: algorithm 2 with ef 1. */
function descend(links: Links, similarity: Similarity): number {
  let best = links.entry;
  let max = similarity(best);
  for (let level = links.top; level > 0; level--) {
    for (let from = -1; from !== best; ) {
      from = best;
      for (const node of links.neighbors(from, level)) {
        const value = similarity(node);
        if (value <= max) continue;
        best = node;
        max = value;
      }
    }
  }
  return best;
}

export interface GraphLinks {
  /** The node where every search starts. It is on the top level. */
  entry: number;
  /** By node, then by level from 0: the node's neighbors. */
  links: number[][][];
}

/**
 * Writes a `graph.bin`.
 * @param sum of all vectors
 */
export function writeGraph(
  path: string,
  { entry, links }: GraphLinks,
  vectors: Iterable<Float32Array>,
  sum: Float64Array,
): void {
  const upper: number[] = [];
  const levelStarts = [0];
  const lists = links.map(([list]) => list!);
  for (let level = 1; level < links[entry]!.length; level++) {
    for (const [ordinal, { [level]: list }] of links.entries()) {
      if (!list) continue;
      upper.push(ordinal);
      lists.push(list);
    }
    levelStarts.push(upper.length);
  }
  const starts = new Uint32Array(lists.length + 1);
  const packed = lists.map((list, i) => {
    const bytes = Buffer.from(writeAscending(list.toSorted((a, b) => a - b)));
    starts[i + 1] = starts[i]! + bytes.length;
    return bytes;
  });
  const levels = Uint32Array.from([entry, ...levelStarts]);
  const factors = new Float32Array(2 * links.length);
  const direction = directionOf(sum);
  const rest = [starts, Buffer.concat(packed), Uint32Array.from(upper)];
  const numbers = sum.length * links.length;
  const file = new ContainerWriter(
    path,
    GRAPH,
    [...[levels, direction, factors].map(byteLength), numbers, ...rest.map(byteLength)],
    3,
  );
  let ordinal = 0;
  for (const vector of vectors) {
    const { row, along, scale } = quantize(vector, direction);
    factors.set([along, scale], 2 * ordinal++);
    file.append(new Uint8Array(row.buffer));
  }
  file.finish([levels, direction, factors, ...rest]);
}

const byteLength = ({ byteLength }: ArrayBufferView): number => byteLength;

/** The direction of the vectors' mean, of length 1, or zeros. */
function directionOf(sum: Float64Array): Float32Array {
  const length = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0));
  return Float32Array.from(sum, (value) => (length > 0 ? value / length : 0));
}

/**
 * Quantizes a vector to 8 bits a number. A model's vectors share most of their length, in the direction of their mean. That part is
 * stored as a float, so the 8 bits encode only the rest, scaled so that its largest number is 127. Queries share that direction too,
 * so the rounding error only meets the part of a query across it.
 */
function quantize(
  vector: Float32Array,
  direction: Float32Array,
): { row: Int8Array; along: number; scale: number } {
  const along = dot(vector, direction);
  const rest = Float64Array.from(vector, (value, i) => value - along * direction[i]!);
  const scale = rest.reduce((max, value) => Math.max(max, Math.abs(value)), 0) / 127;
  const row = new Int8Array(vector.length);
  if (scale > 0) row.set(rest.map((value) => Math.round(value / scale)));
  // Rounding adds a little of the mean direction to the numbers, so the float subtracts it.
  return { row, along: along - scale * dot(row, direction), scale };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
