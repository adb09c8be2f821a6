import type { ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Document } from '../../documents/document.ts';
import { type Notice, RanOut } from '../../documents/file.ts';
import { forkModule } from '../../format/installation.ts';
import type { FromChild, ReadJob, ToChild } from './reading-child.ts';

export type ReadEvent = { document: Document } | { notice: Notice };

/** Limits of reading one file, with all files in it. */
export interface ReadLimits {
  /** CPU milliseconds of an empty file. A computer that is busy elsewhere costs none. */
  milliseconds: number;
  /** Bytes of a file that allow another CPU second. */
  bytesPerSecond: number;
  /** Time, as a multiple of the CPU time, after which a process that only waits is ended. */
  patience: number;
  memory: number;
}

const DEFAULT_LIMITS: ReadLimits = {
  milliseconds: 30_000,
  bytesPerSecond: 100_000,
  patience: 10,
  memory: 2 ** 30,
};
/** Why a file was given up that needs more time than its limit. */
export const TOO_LONG = 'takes too long';
/** Why a file could not be read, if its process did not start: the file is not to blame. */
export const NOT_STARTED = 'the process that reads files did not start';
/** A process with more memory than this, left over from earlier files, is replaced before the next file. */
const USED_UP = 400 * 2 ** 20;
/** Milliseconds after which a process has failed to start, however busy the computer is. */
const START = 60_000;
const USAGE_FD = 4;
const LOOK = 100;

/** A reading process, the messages that it sent, and what it has used: CPU milliseconds and resident bytes. */
interface Running {
  process: ChildProcess;
  messages: FromChild[];
  used: { cpu: number; memory: number };
  hasEnded: boolean;
}

/**
 * Reads files in another process, which is ended if a file takes too long or too much memory. A parser's crash costs its file, not
 * the build.
 */
export class ReadingProcess {
  readonly limits: ReadLimits;
  #running: Running | undefined;
  #wake = () => {};

  constructor(limits: Partial<ReadLimits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /**
   * Reads a file.
   * @param signal ends it, with its reason
   * @throws RanOut if the file is given up
   */
  async *read(job: ReadJob, signal?: AbortSignal): AsyncGenerator<ReadEvent> {
    const cpu = this.#cpuFor(job);
    let end = performance.now() + START;
    if (!this.#running || this.#running.hasEnded) this.#running = this.#fork();
    const running = this.#running;
    let started: number | undefined;
    const check = () => {
      signal?.throwIfAborted();
      const { used, messages, hasEnded } = running;
      const isOver = performance.now() > end;
      if (started === undefined) {
        if (isOver || (hasEnded && messages.length === 0))
          throw new RanOut(job.path, NOT_STARTED, 'Build again, or install the packages again.');
        return;
      }
      if (hasEnded && messages.length === 0)
        throw new RanOut(job.path, 'crashed the reader', 'Re-save it in another format.');
      if (used.memory > this.limits.memory)
        throw new RanOut(job.path, 'needs too much memory', 'Split it into smaller files.');
      if (used.cpu - started > cpu || isOver)
        throw new RanOut(job.path, TOO_LONG, 'Split it into smaller files, or save it again.');
    };
    let isDone = false;
    try {
      this.#send(running, { job });
      while (!isDone) {
        const [message] = running.messages;
        if (!message || !('done' in message)) check();
        running.messages.shift();
        if (!message) await this.#wait();
        else if ('started' in message) {
          started = message.started;
          end = performance.now() + cpu * this.limits.patience;
        } else if ('done' in message) isDone = true;
        else {
          yield message;
          if ('document' in message) this.#send(running, { taken: true });
        }
      }
    } finally {
      // The process may still work on a file that was left early.
      if (!isDone || running.used.memory > USED_UP) this.close();
    }
  }

  /** Ends the process. Another read starts a new one. */
  close(): void {
    this.#running?.process.kill('SIGKILL');
    this.#running = undefined;
  }

  #fork(): Running {
    const child = forkModule(new URL('./reading-child.ts', import.meta.url), [String(USAGE_FD)], {
      execArgv: ['--max-old-space-size=1024'],
      serialization: 'advanced',
      // Parsers print warnings, which say nothing that the notices do not.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc', 'pipe'],
    });
    const running: Running = {
      process: child,
      messages: [],
      used: { cpu: 0, memory: 0 },
      hasEnded: false,
    };
    child.on('message', (message: FromChild) => {
      running.messages.push(message);
      this.#wake();
    });
    for (const event of ['exit', 'error'])
      child.on(event, () => {
        running.hasEnded = true;
        this.#wake();
      });
    // A process that was not created has no streams.
    const usage = child.stdio?.[USAGE_FD] as Readable | undefined;
    if (usage)
      createInterface({ input: usage }).on('line', (line) => {
        const [cpu = 0, memory = 0] = line.split(' ').map(Number);
        running.used = { cpu, memory };
      });
    return running;
  }

  #send({ process }: Running, message: ToChild): void {
    // An event reports a process that did not start, or ended meanwhile.
    process.send?.(message, () => {});
  }

  #cpuFor({ localPath }: ReadJob): number {
    const { milliseconds, bytesPerSecond } = this.limits;
    const size = statSync(localPath, { throwIfNoEntry: false })?.size ?? 0;
    return milliseconds + (1000 * size) / bytesPerSecond;
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
