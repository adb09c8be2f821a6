import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import hnswlib from 'hnswlib-node';
import { writeSections } from './container.ts';
import { GRAPH } from './graph-file.ts';
import { type HnswlibGraph, readHnswlibFile } from './hnswlib-file.ts';
import { writeAscending } from './varint.ts';

/** Links a node and candidates while building: hnswlib's usual choice for hundreds of dimensions (Malkov and Yashunin 2016, arXiv:1603.09320). */
const M = 16;
const EF_CONSTRUCTION = 200;
const SEED = 100;

/** Builds a graph with hnswlib, vector by vector. The same vectors in the same order give the same bytes. */
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

  /** Adds the next ordinal's vector, of length 1. */
  add(vector: Float32Array): void {
    this.#graph.addPoint(Array.from(vector), this.#nodes++);
  }

  /** Writes a `graph.bin`, by way of a temporary file in hnswlib's own format beside it. */
  write(path: string): void {
    const temporary = `${path}.hnswlib`;
    try {
      this.#graph.writeIndexSync(temporary);
      writeFileSync(path, graphBytes(readHnswlibFile(readFileSync(temporary), this.#dimensions)));
    } finally {
      rmSync(temporary, { force: true });
    }
  }
}

/** Builds the graph of these vectors. */
export function buildGraph(vectors: readonly Float32Array[]): GraphBuilder {
  const builder = new GraphBuilder(vectors.length, vectors[0]!.length);
  for (const vector of vectors) builder.add(vector);
  return builder;
}

/** Returns the bytes of a `graph.bin`. */
export function graphBytes({ entry, vectors, links }: HnswlibGraph): Uint8Array {
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
  const packed = lists.map((list) => writeAscending(list.toSorted((a, b) => a - b)));
  const starts = new Uint32Array(packed.length + 1);
  packed.forEach(({ length }, i) => {
    starts[i + 1] = starts[i]! + length;
  });
  const { direction, factors, numbers } = quantize(vectors);
  return writeSections(
    GRAPH,
    [
      Uint32Array.from([entry, ...levelStarts]),
      direction,
      factors,
      numbers,
      starts,
      Buffer.concat(packed),
      Uint32Array.from(upper),
    ].map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
  );
}

/**
 * Quantizes vectors to 8 bits a number. A model's vectors share most of their length, in the direction of their mean. That part is
 * stored as a float, so the 8 bits encode only the rest, scaled so that its largest number is 127. Queries share that direction too,
 * so the rounding error only meets the part of a query across it.
 */
function quantize(vectors: readonly Float32Array[]): {
  direction: Float32Array;
  factors: Float32Array;
  numbers: Int8Array;
} {
  const dimensions = vectors[0]!.length;
  const mean = new Float64Array(dimensions);
  for (const vector of vectors) for (let i = 0; i < dimensions; i++) mean[i]! += vector[i]!;
  const length = Math.sqrt(mean.reduce((sum, value) => sum + value * value, 0));
  const direction = Float32Array.from(mean, (value) => (length > 0 ? value / length : 0));
  const factors = new Float32Array(2 * vectors.length);
  const numbers = new Int8Array(dimensions * vectors.length);
  for (const [ordinal, vector] of vectors.entries()) {
    const along = dot(vector, direction);
    const rest = Float64Array.from(vector, (value, i) => value - along * direction[i]!);
    const scale = rest.reduce((max, value) => Math.max(max, Math.abs(value)), 0) / 127;
    const row = numbers.subarray(ordinal * dimensions, (ordinal + 1) * dimensions);
    if (scale > 0) row.set(rest.map((value) => Math.round(value / scale)));
    // Rounding adds a little of the mean direction to the numbers, so the float subtracts it.
    factors.set([along - scale * dot(row, direction), scale], 2 * ordinal);
  }
  return { direction, factors, numbers };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
