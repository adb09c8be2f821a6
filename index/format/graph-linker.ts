import type { ChildProcess } from 'node:child_process';
import { linkVectors } from './graph-builder.ts';
import { forkModule } from './installation.ts';

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
