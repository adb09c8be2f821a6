import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import hnswlib from 'hnswlib-node';
import { writeSections } from '../embedding/sections.ts';
import { GRAPH } from './graph.ts';
import { type HnswlibGraph, readHnswlibFile } from './hnswlib-file.ts';
import { writeAscending } from './varint.ts';

/** Edges a node and candidates while building: hnswlib's usual choice for some hundred dimensions (Malkov and Yashunin 2016, arXiv:1603.09320). */
const M = 16;
const EF_CONSTRUCTION = 200;
const SEED = 100;

/** Builds the graph of these vectors of length 1 (ordinals in order) and writes it. The same vectors give the same bytes. */
export function writeGraph(path: string, vectors: readonly Float32Array[]): void {
  writeFileSync(path, graphBytes(buildGraph(`${path}.hnswlib`, vectors)));
}

/** Lets hnswlib build the graph. @param path for hnswlib's own file, which is removed again */
function buildGraph(path: string, vectors: readonly Float32Array[]): HnswlibGraph {
  const dimensions = vectors[0]!.length;
  const graph = new hnswlib.HierarchicalNSW('ip', dimensions);
  graph.initIndex(vectors.length, M, EF_CONSTRUCTION, SEED);
  for (const [ordinal, vector] of vectors.entries()) graph.addPoint(Array.from(vector), ordinal);
  try {
    graph.writeIndexSync(path);
    return readHnswlibFile(readFileSync(path), dimensions);
  } finally {
    rmSync(path, { force: true });
  }
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
