import { closeSync, fstatSync, openSync, rmSync } from 'node:fs';
import type hnswlib from 'hnswlib-node';
import { loadNative } from '#native';
import { readExactly, readVectors } from '../format/container-file.ts';
import { type GraphLinks, writeGraph } from '../format/graph-file.ts';
import { forkModule } from '../format/installation.ts';
import { messageOf } from '../kit/errors.ts';
import { readHnswlibFile } from './hnswlib-file.ts';

/** Links a node and candidates while building: hnswlib's usual choice for hundreds of dimensions (Malkov and Yashunin 2016, arXiv:1603.09320). */
const M = 16;
const EF_CONSTRUCTION = 200;
const SEED = 100;

/**
 * Builds a graph with hnswlib from a file of vectors (f32) of length 1. The same vectors in the same order give the same bytes on any
 * processor: hnswlib gets whole numbers (see `rounded`).
 */
export class GraphBuilder {
  readonly #vectors: string;
  readonly #dimensions: number;
  readonly #graph: hnswlib.HierarchicalNSW;
  readonly #sum: Float64Array;
  #added = 0;

  /** @param nodes how many vectors will be in the file */
  constructor(vectors: string, nodes: number, dimensions: number) {
    const { HierarchicalNSW } = loadNative<typeof hnswlib>('hnswlib');
    this.#graph = new HierarchicalNSW('ip', dimensions);
    this.#graph.initIndex(nodes, M, EF_CONSTRUCTION, SEED);
    this.#vectors = vectors;
    this.#dimensions = dimensions;
    this.#sum = new Float64Array(dimensions);
  }

  /** @param available how many vectors are in the file by now */
  add(available: number): void {
    for (const vector of readVectors(this.#vectors, this.#dimensions, this.#added, available)) {
      for (let i = 0; i < vector.length; i++) this.#sum[i]! += vector[i]!;
      this.#graph.addPoint(rounded(vector), this.#added++);
    }
  }

  /** Writes a `graph.bin` of the vectors that were added, by way of a temporary file in hnswlib's own format beside it. */
  write(path: string): void {
    const temporary = `${path}.hnswlib`;
    try {
      const vectors = readVectors(this.#vectors, this.#dimensions, 0, this.#added);
      writeGraph(path, this.#links(temporary), vectors, this.#sum);
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  /** The links, by way of a file. hnswlib ignores that a disk is full. */
  #links(temporary: string): GraphLinks {
    let fd: number | undefined;
    try {
      this.#graph.writeIndexSync(temporary);
      const file = openSync(temporary, 'r');
      fd = file;
      const read = (start: number, length: number) => {
        const bytes = new Uint8Array(length);
        readExactly(file, bytes, start, temporary);
        return bytes;
      };
      return readHnswlibFile({ length: fstatSync(file).size, read }, this.#dimensions);
    } catch (error) {
      throw new Error(
        `${temporary} was not written whole. Free some space on the disk and try again. (${messageOf(error)})`,
        { cause: error },
      );
    } finally {
      if (fd !== undefined) closeSync(fd);
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

/** Vectors from which a graph is built in a process of its own. Starting one takes as long as linking 1,500. */
const MANY = 4000;

/** Builds the `graph.bin` at the path `graph` from a file of vectors (f32). A large graph is built while that file is written. */
export function graphLinker(vectors: string, graph: string, nodes: number, dimensions: number) {
  const child = nodes < MANY ? undefined : forkLinker(vectors, graph, nodes, dimensions);
  /** Says how many vectors are in the file. */
  const available = (count: number): void => {
    // The exit event reports a process that ended meanwhile.
    if (child?.process.connected) child.process.send(count, () => {});
  };
  return {
    available,
    async finish(): Promise<void> {
      available(nodes);
      if (child) return child.written;
      const builder = new GraphBuilder(vectors, nodes, dimensions);
      builder.add(nodes);
      builder.write(graph);
    },
    /** Ends the process of an unfinished graph. */
    abandon(): void {
      if (child?.process.connected) child.process.disconnect();
    },
  };
}

function forkLinker(...args: [vectors: string, graph: string, nodes: number, dimensions: number]) {
  const child = forkModule(new URL('./graph-process.ts', import.meta.url), args.map(String));
  const written = new Promise<void>((resolve, reject) => {
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
  written.catch(() => {});
  return { process: child, written };
}
