import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type CompiledModel, readCompiledModel } from '../format/compiled-model.ts';
import { forkModule } from '../format/installation.ts';
import { openTokens, type QuestionEmbedder, type TextKind } from './embedder.ts';
import {
  type EmbeddedPassage,
  type EmbeddedQuestion,
  placesOf,
  type TokenEmbedder,
} from './token-embedder.ts';
import type { TokenMatcher } from './token-matcher.ts';
import { Tokenizer } from './tokenizer.ts';
import type { Embedded, EmbedJob, EmbedReply } from './worker.ts';

interface Waiting {
  job: EmbedJob;
  resolve: (embedded: Embedded) => void;
  reject: (error: Error) => void;
}

/** Texts sent to a process ahead of time: it continues while this process is busy, with the graph for instance. */
const AHEAD = 4;

/**
 * Embeds with several processes, one text a run. Batching would change the vectors, since a batch shares the scale of its quantized
 * activations.
 */
export class ParallelEmbedder implements QuestionEmbedder {
  readonly model: CompiledModel;
  readonly byToken?: TokenEmbedder;
  readonly #dir: string;
  #openTokenizer: Tokenizer | undefined;
  readonly #count: number;
  /** Started with the first text: a build may need no embeddings. */
  #workers: ChildProcess[] = [];
  /** One entry per text that the process may receive next. */
  #free: ChildProcess[] = [];
  readonly #queue: Waiting[] = [];
  /** Texts of the queue that were sent. */
  #sent = 0;
  readonly #running = new Map<number, Waiting>();
  #nextId = 0;
  #failure: Error | undefined;

  /**
   * @param dir a compiled model
   * @param workers the number of processes: one a processor by default
   */
  constructor(dir: string, workers = availableParallelism()) {
    this.model = readCompiledModel(dir, true);
    this.#dir = dir;
    if (this.model.tokens) this.byToken = this.#openByToken();
    this.#count = workers;
  }

  embed(text: string, kind?: TextKind): Promise<Float32Array> {
    return this.#embed<Float32Array>({ text, kind, byToken: false });
  }

  tokens(text: string, kind?: TextKind): number {
    return this.#tokenizer.encode((kind ? this.model.prefixes[kind] : '') + text).length;
  }

  close(): void {
    for (const worker of this.#workers) {
      worker.removeAllListeners('exit');
      worker.disconnect();
    }
  }

  #start(): void {
    this.#workers = Array.from({ length: this.#count }, () => {
      const worker = forkModule(new URL('./worker.ts', import.meta.url), [this.#dir], {
        serialization: 'advanced',
      });
      worker.on('message', (reply: EmbedReply) => this.#finish(worker, reply));
      worker.on('exit', (code, signal) =>
        this.#fail(new Error(`An embedding process ended with ${signal ?? code}. Start the command again.`)),
      );
      worker.on('error', (error) => this.#fail(error));
      return worker;
    });
    this.#free = this.#workers.flatMap((worker) => Array(AHEAD).fill(worker));
  }

  #embed<T extends Embedded>(job: Omit<EmbedJob, 'id'>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      if (this.#workers.length === 0) this.#start();
      // The worker's reply has the type of the job.
      const settle = resolve as (embedded: Embedded) => void;
      this.#queue.push({ job: { id: this.#nextId++, ...job }, resolve: settle, reject });
      this.#next();
    });
  }

  #openByToken(): TokenEmbedder {
    let matcher: Promise<TokenMatcher | undefined> | undefined;
    return {
      passage: (text) => this.#embed<EmbeddedPassage>({ text, kind: 'passage', byToken: true }),
      question: (text) => this.#embed<EmbeddedQuestion>({ text, kind: 'query', byToken: true }),
      match: async (states, passages) => {
        matcher ??= openTokens(this.#dir, this.model).then((tokens) => tokens?.match);
        return (await matcher)!(states, passages);
      },
      places: (text, kind) => placesOf(this.#tokenizer, this.model.prefixes, text, kind),
    };
  }

  get #tokenizer(): Tokenizer {
    this.#openTokenizer ??= new Tokenizer(readFileSync(join(this.#dir, 'tokenizer.bin')));
    return this.#openTokenizer;
  }

  #next(): void {
    while (this.#free.length > 0 && this.#sent < this.#queue.length) {
      const waiting = this.#queue[this.#sent++]!;
      this.#running.set(waiting.job.id, waiting);
      // The exit event reports a process that ended meanwhile.
      this.#free.shift()!.send(waiting.job, () => {});
    }
    if (this.#sent < this.#queue.length) return;
    this.#queue.length = 0;
    this.#sent = 0;
  }

  #finish(worker: ChildProcess, reply: EmbedReply): void {
    const waiting = this.#running.get(reply.id);
    this.#running.delete(reply.id);
    this.#free.push(worker);
    this.#next();
    if ('embedded' in reply) waiting?.resolve(reply.embedded);
    else waiting?.reject(new Error(reply.error));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const waiting of [...this.#running.values(), ...this.#queue.slice(this.#sent)])
      waiting.reject(error);
    this.#running.clear();
    this.#queue.length = 0;
    this.#sent = 0;
  }
}
