import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import hnswlib from 'hnswlib-node';
import { writeSections } from './container.ts';
import { GRAPH } from './graph-file.ts';
import { type HnswlibGraph, readHnswlibFile } from './hnswlib-file.ts';
import { writeAscending } from './varint.ts';

/** Edges a node and candidates while building: hnswlib's usual choice for some hundred dimensions (Malkov and Yashunin 2016, arXiv:1603.09320). */
const M = 16;
const EF_CONSTRUCTION = 200;
const SEED = 100;

/** Lets hnswlib build a graph, vector by vector. The same vectors in the same order give the same bytes. */
export class GraphBuilder {
  readonly #graph: hnswlib.HierarchicalNSW;
  readonly #dimensions: number;
  #nodes = 0;

  /** @param nodes how many vectors will be added */
  constructor(nodes: number, dimensions: number) {
    this.#graph = new hnswlib.HierarchicalNSW('ip', dimensions);
    this.#graph.initIndex(nodes, M, EF_CONSTRUCTION, SEED);
    this.#dimensions = dimensions;
  }

  /** Adds the vector of the next ordinal, of length 1. */
  add(vector: Float32Array): void {
    this.#graph.addPoint(Array.from(vector), this.#nodes++);
  }

  /** Writes a `graph.bin`; beside it stands hnswlib's own file meanwhile. */
  write(path: string): void {
    const theirs = `${path}.hnswlib`;
    try {
      this.#graph.writeIndexSync(theirs);
      writeFileSync(path, graphBytes(readHnswlibFile(readFileSync(theirs), this.#dimensions)));
    } finally {
      rmSync(theirs, { force: true });
    }
  }
}

/** The graph of these vectors. */
export function buildGraph(vectors: readonly Float32Array[]): GraphBuilder {
  const builder = new GraphBuilder(vectors.length, vectors[0]!.length);
  for (const vector of vectors) builder.add(vector);
  return builder;
}

/** The bytes of a `graph.bin`. */
export function graphBytes({ entry, vectors, links }: HnswlibGraph): Uint8Array {
  const upper: number[] = [];
  const firsts = [0];
  const lists = links.map(([list]) => list!);
  for (let level = 1; level < links[entry]!.length; level++) {
    for (const [ordinal, { [level]: list }] of links.entries()) {
      if (!list) continue;
      upper.push(ordinal);
      lists.push(list);
    }
    firsts.push(upper.length);
  }
  const packed = lists.map((list) => writeAscending(list.toSorted((a, b) => a - b)));
  const starts = new Uint32Array(packed.length + 1);
  packed.forEach(({ length }, i) => {
    starts[i + 1] = starts[i]! + length;
  });
  const { direction, parts, numbers } = quantize(vectors);
  return writeSections(
    GRAPH,
    [
      Uint32Array.from([entry, ...firsts]),
      direction,
      parts,
      numbers,
      starts,
      Buffer.concat(packed),
      Uint32Array.from(upper),
    ].map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
  );
}

/**
 * Vectors in 8 bits a number. What they all have in common, the direction of their mean, would take most of these bits, and lies
 * in questions too: each vector's part in that direction is kept as a float, and 8 bits hold what is left, scaled so that its
 * largest number is 127. A question's product with the error then has only the question's own part across that direction in it.
 */
function quantize(vectors: readonly Float32Array[]): {
  direction: Float32Array;
  parts: Float32Array;
  numbers: Int8Array;
} {
  const dimensions = vectors[0]!.length;
  const mean = new Float64Array(dimensions);
  for (const vector of vectors) for (let i = 0; i < dimensions; i++) mean[i]! += vector[i]!;
  const length = Math.sqrt(mean.reduce((sum, value) => sum + value * value, 0));
  const direction = Float32Array.from(mean, (value) => (length > 0 ? value / length : 0));
  const parts = new Float32Array(2 * vectors.length);
  const numbers = new Int8Array(dimensions * vectors.length);
  for (const [ordinal, vector] of vectors.entries()) {
    const along = dot(vector, direction);
    const rest = Float64Array.from(vector, (value, i) => value - along * direction[i]!);
    const scale = rest.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
    const row = numbers.subarray(ordinal * dimensions, (ordinal + 1) * dimensions);
    if (scale > 0) row.set(rest.map((value) => Math.round(value / scale)));
    // Rounding has put a little of the direction back into the numbers: it is taken off the part.
    parts.set([along - scale * dot(row, direction), scale], 2 * ordinal);
  }
  return { direction, parts, numbers };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
