import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync, rmSync } from 'node:fs';
import type hnswlib from 'hnswlib-node';
import { loadNative } from '#native';
import { readExactly, readVectors } from '../format/container-file.ts';
import { type GraphLinks, writeGraph } from '../format/graph-file.ts';
import { forkModule } from '../format/installation.ts';
import { readHnswlibFile } from './hnswlib-file.ts';

/** Links a node and candidates while building: hnswlib's usual choice for hundreds of dimensions (Malkov and Yashunin 2016, arXiv:1603.09320). */
const M = 16;
const EF_CONSTRUCTION = 200;
const SEED = 100;

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
  #links(temporary: string): GraphLinks {
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

function readLinks(path: string, dimensions: number): GraphLinks {
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

/** Vectors from which a graph is built in a process of its own. Starting one takes as long as linking 1,500. */
const MANY = 4000;

/** Builds a `graph.bin` from a file of vectors. A large graph is built while the file is written. */
export class GraphLinker {
  readonly #vectors: string;
  readonly #graph: string;
  readonly #nodes: number;
  readonly #dimensions: number;
  readonly #process: ChildProcess | undefined;
  readonly #written: Promise<void> | undefined;

  /**
   * @param vectors path of a file of f32
   * @param graph path of the `graph.bin`
   */
  constructor(vectors: string, graph: string, nodes: number, dimensions: number) {
    this.#vectors = vectors;
    this.#graph = graph;
    this.#nodes = nodes;
    this.#dimensions = dimensions;
    if (nodes < MANY) return;
    const args = [vectors, graph, String(nodes), String(dimensions)];
    const child = forkModule(new URL('./graph-process.ts', import.meta.url), args);
    this.#process = child;
    this.#written = new Promise((resolve, reject) => {
      child.on('message', ({ error, code }: { error: string | null; code?: string }) =>
        error === null ? resolve() : reject(Object.assign(new Error(error), { code })),
      );
      child.on('error', reject);
      child.on('exit', (code, signal) =>
        reject(
          new Error(`The process that links passages ended with ${signal ?? code}. Start the command again.`),
        ),
      );
    });
    // `finish` reports a failure.
    this.#written.catch(() => {});
  }

  /** Says how many vectors are in the file. */
  available(count: number): void {
    // The exit event reports a process that ended meanwhile.
    if (this.#process?.connected) this.#process.send(count, () => {});
  }

  /** Writes the graph of all vectors. */
  async finish(): Promise<void> {
    if (this.#process) {
      this.available(this.#nodes);
      return this.#written;
    }
    const link = linkVectors(this.#vectors, this.#nodes, this.#dimensions);
    link.add(this.#nodes);
    link.write(this.#graph);
  }

  /** Ends the process of an unfinished graph. */
  abandon(): void {
    if (this.#process?.connected) this.#process.disconnect();
  }
}
