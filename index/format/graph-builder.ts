import { closeSync, fstatSync, openSync, rmSync } from 'node:fs';
import type hnswlib from 'hnswlib-node';
import { loadNative } from '#load-native';
import { ContainerWriter } from './container-writer.ts';
import { readExactly } from './data-file.ts';
import { GRAPH } from './graph-file.ts';
import { type HnswlibLinks, readHnswlibFile } from './hnswlib-file.ts';
import { writeAscending } from './varint.ts';

/** Links a node and candidates while building: hnswlib's usual choice for hundreds of dimensions (Malkov and Yashunin 2016, arXiv:1603.09320). */
const M = 16;
const EF_CONSTRUCTION = 200;
const SEED = 100;
/** Bytes of vectors that are read at once. */
const CHUNK = 1 << 20;

/**
 * Builds a graph with hnswlib, vector by vector. The same vectors in the same order give the same bytes on any processor: hnswlib gets
 * whole numbers (see `rounded`).
 */
export class GraphBuilder {
  readonly #graph: hnswlib.HierarchicalNSW;
  readonly #dimensions: number;
  /** The sum of all vectors. */
  readonly #sum: Float64Array;
  #nodes = 0;

  /** @param nodes how many vectors will be added */
  constructor(nodes: number, dimensions: number) {
    const { HierarchicalNSW } = loadNative<typeof hnswlib>('hnswlib');
    this.#graph = new HierarchicalNSW('ip', dimensions);
    this.#graph.initIndex(nodes, M, EF_CONSTRUCTION, SEED);
    this.#dimensions = dimensions;
    this.#sum = new Float64Array(dimensions);
  }

  /** Adds the next ordinal's vector, of length 1. */
  add(vector: Float32Array): void {
    for (let i = 0; i < vector.length; i++) this.#sum[i]! += vector[i]!;
    this.#graph.addPoint(rounded(vector), this.#nodes++);
  }

  /**
   * Writes a `graph.bin`, by way of a temporary file in hnswlib's own format beside it.
   * @param vectors those that were added, in the same order
   */
  write(path: string, vectors: Iterable<Float32Array>): void {
    const temporary = `${path}.hnswlib`;
    try {
      writeGraph(path, this.#links(temporary), vectors, this.#sum);
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  /** The links, by way of a file. hnswlib ignores that a disk is full. */
  #links(temporary: string): HnswlibLinks {
    try {
      this.#graph.writeIndexSync(temporary);
      return readLinks(temporary, this.#dimensions);
    } catch (error) {
      throw new Error(
        `${temporary} was not written whole. Free some space on the disk and try again. (${(error as Error).message})`,
        { cause: error },
      );
    }
  }
}

/**
 * A vector as whole numbers, about 4,000 times as long. hnswlib adds products in an order that depends on the processor. The absolute
 * value of each of its sums is at most the product of two lengths (Cauchy and Schwarz), which is below 2^24 here. Whole numbers up to
 * there are exact in 32-bit floats, so all orders give the same sum.
 * @param vector of length 1, or slightly more because of its own rounding
 */
export function rounded(vector: Float32Array): number[] {
  // Rounding makes a vector longer by at most half the root of its dimensions.
  const scale = Math.floor(4095 - Math.sqrt(vector.length) / 2);
  const numbers = new Array<number>(vector.length);
  for (let i = 0; i < vector.length; i++) numbers[i] = Math.round(vector[i]! * scale);
  return numbers;
}

/** Builds a graph from a file of vectors (f32), as far as they are there. */
export function linkVectors(
  path: string,
  nodes: number,
  dimensions: number,
): { add: (available: number) => void; write: (graph: string) => void } {
  const builder = new GraphBuilder(nodes, dimensions);
  let added = 0;
  return {
    add(available) {
      for (const vector of readVectors(path, dimensions, added, available)) builder.add(vector);
      added = available;
    },
    write: (graph) => builder.write(graph, readVectors(path, dimensions, 0, nodes)),
  };
}

/** The vectors `[first, end)` of a file. Each is valid until the next. */
export function* readVectors(
  path: string,
  dimensions: number,
  first: number,
  end: number,
): Generator<Float32Array> {
  const fd = openSync(path, 'r');
  try {
    const rows = new Float32Array(Math.max(1, Math.floor(CHUNK / (4 * dimensions))) * dimensions);
    for (let at = first; at < end; at += rows.length / dimensions) {
      const count = Math.min(rows.length / dimensions, end - at);
      const bytes = new Uint8Array(rows.buffer, 0, 4 * count * dimensions);
      readExactly(fd, bytes, 4 * at * dimensions, path);
      for (let i = 0; i < count; i++) yield rows.subarray(i * dimensions, (i + 1) * dimensions);
    }
  } finally {
    closeSync(fd);
  }
}

function readLinks(path: string, dimensions: number): HnswlibLinks {
  const fd = openSync(path, 'r');
  try {
    const read = (start: number, length: number) => {
      const bytes = new Uint8Array(length);
      readExactly(fd, bytes, start, path);
      return bytes;
    };
    return readHnswlibFile({ length: fstatSync(fd).size, read }, dimensions);
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes a `graph.bin`.
 * @param sum of all vectors
 */
export function writeGraph(
  path: string,
  { entry, links }: HnswlibLinks,
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
