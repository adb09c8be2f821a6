import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { type Format, readSections } from './container.ts';
import { DotProducts } from './dot-product.ts';
import { type Links, nearest } from './graph-search.ts';

/** `graph.bin`: passages' vectors and the links between near ones. FORMAT.md beside this file has its layout. */
export const GRAPH: Format = { magic: 'PSGR', version: 1, sections: 7 };

/** A passage near to a question. */
export interface Neighbor {
  ordinal: number;
  /** Cosine. */
  similarity: number;
}

/** The seam to the vector graph. Vectors have length 1. */
export interface Graph {
  /** The k nearest, nearest first; with `allowed`, those among them alone. May find fewer than there are. */
  search(vector: Float32Array, k: number, ef: number, allowed?: (ordinal: number) => boolean): Neighbor[];
  /** The cosines of a vector with any passage's; until another is asked for. */
  similarities(vector: Float32Array): (ordinal: number) => number;
}

/**
 * Opens a graph and reads it whole: a question's way leads to passages all over the file.
 * @param dimensions numbers in a vector
 * @throws if it is no `graph.bin` of this version, was cut short, or has sections whose sizes do not go together
 */
export function openGraph(path: string, dimensions: number): Graph & Links {
  const fd = openSync(path, 'r');
  try {
    const products = new DotProducts(fstatSync(fd).size, dimensions);
    fill(products.bytes, fd);
    return new GraphFile(products, dimensions, basename(path));
  } finally {
    closeSync(fd);
  }
}

/** Reads a file to its end. One call reads at most 2 GB. */
function fill(bytes: Uint8Array, fd: number): void {
  for (let at = 0, read = 1; read > 0 && at < bytes.length; at += read)
    read = readSync(fd, bytes, at, Math.min(bytes.length - at, 2 ** 30), at);
}

/** The file's bytes as a graph; FORMAT.md says what each section holds. */
class GraphFile implements Graph, Links {
  readonly nodes: number;
  readonly entry: number;
  readonly top: number;
  readonly #products: DotProducts;
  readonly #dimensions: number;
  readonly #levels: Uint32Array;
  readonly #direction: Float32Array;
  readonly #parts: Float32Array;
  /** Where section 3 begins in the file. */
  readonly #numbers: number;
  readonly #starts: Uint32Array;
  readonly #links: Uint8Array;
  readonly #upper: Uint32Array;

  constructor(products: DotProducts, dimensions: number, name: string) {
    const sections = readSections(products.bytes, GRAPH, name);
    const [levels, direction, parts, numbers, starts, links, upper] = sections as Sections;
    this.nodes = parts.length / 8;
    const sizes = [direction, numbers, starts].map(({ length }) => length).join(', ');
    const expected = [4 * dimensions, this.nodes * dimensions, 4 * (this.nodes + 1) + upper.length].join(
      ', ',
    );
    if (sizes !== expected) {
      throw new Error(
        `${name} has sections of ${sizes} bytes where ${expected} were expected: it is damaged, build it again.`,
      );
    }
    this.#products = products;
    this.#dimensions = dimensions;
    this.#levels = words(levels);
    this.#direction = floats(direction);
    this.#parts = floats(parts);
    this.#numbers = numbers.byteOffset - products.bytes.byteOffset;
    this.#starts = words(starts);
    this.#links = links;
    this.#upper = words(upper);
    this.entry = this.#levels[0]!;
    this.top = this.#levels.length - 2;
  }

  search(vector: Float32Array, k: number, ef: number, allowed?: (ordinal: number) => boolean): Neighbor[] {
    return nearest(this, this.similarities(vector), Math.max(ef, k), allowed)
      .sort((a, b) => b.similarity - a.similarity || a.ordinal - b.ordinal)
      .slice(0, k);
  }

  neighbors(node: number, level: number): number[] {
    const list = level === 0 ? node : this.#upperList(node, level);
    const end = this.#starts[list + 1]!;
    const nodes: number[] = [];
    for (let at = this.#starts[list]!, value = 0; at < end; ) {
      for (let weight = 1, more = true; more; weight *= 128) {
        const byte = this.#links[at++]!;
        value += (byte & 127) * weight;
        more = byte > 127;
      }
      nodes.push(value);
    }
    return nodes;
  }

  /** The number of a node's list on an upper level, by bisection. */
  #upperList(node: number, level: number): number {
    let low = this.#levels[level]!;
    let high = this.#levels[level + 1]! - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#upper[middle]! < node) low = middle + 1;
      else high = middle;
    }
    return this.nodes + low;
  }

  /** A cosine is the product of the parts in the common direction, and that of what is left. */
  similarities(vector: Float32Array): (node: number) => number {
    let along = 0;
    for (let i = 0; i < vector.length; i++) along += vector[i]! * this.#direction[i]!;
    const product = this.#products.with(vector);
    const [parts, numbers, dimensions] = [this.#parts, this.#numbers, this.#dimensions];
    return (node) => along * parts[2 * node]! + parts[2 * node + 1]! * product(numbers + node * dimensions);
  }
}

/** As many as the format has. */
type Sections = [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];

const words = ({ buffer, byteOffset, length }: Uint8Array) => new Uint32Array(buffer, byteOffset, length / 4);
const floats = ({ buffer, byteOffset, length }: Uint8Array) =>
  new Float32Array(buffer, byteOffset, length / 4);
