import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import type { Document } from '../documents/document.ts';
import type { Notice } from '../documents/file.ts';
import { forkModule } from '../format/installation.ts';
import type { FromChild, ReadJob, ToChild } from './child.ts';

/** What reading a file returns, piece by piece. */
export type ReadEvent = { document: Document } | { notice: Notice };

/** Limits of reading one file. */
export interface ReadLimits {
  /** Milliseconds without a document, for an empty file. */
  milliseconds: number;
  /** Bytes of a file that allow another second. */
  bytesPerSecond: number;
  /** Bytes of memory of the reading process. Only Linux reports them. */
  memory: number;
}

const DEFAULT_LIMITS: ReadLimits = { milliseconds: 10_000, bytesPerSecond: 100_000, memory: 2 ** 30 };
/** A process with more memory than this, left over from earlier files, is replaced before the next file. */
const USED_UP = 400 * 2 ** 20;
/** Milliseconds between two looks at the memory. */
const LOOK = 100;

/** Why a file was given up. */
class GivenUp extends Error {
  readonly reason: string;
  readonly fix: string;

  constructor(reason: string, fix: string) {
    super(reason);
    this.reason = reason;
    this.fix = fix;
  }
}

/**
 * Reads files in another process, which is ended if a file takes too long or too much memory. A parser's crash costs its file, not
 * the build.
 */
export class ReadingProcess {
  readonly #limits: ReadLimits;
  #child: Promise<ChildProcess> | undefined;
  #messages: FromChild[] = [];
  #wake = () => {};

  constructor(limits: Partial<ReadLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Reads a file. The last event of a file that is given up is a notice. */
  async *read(job: ReadJob): AsyncGenerator<ReadEvent> {
    const child = await this.#start();
    this.#send(child, { job });
    try {
      for (;;) {
        const message = await this.#next(child, this.#patience(job));
        if ('done' in message) break;
        if ('ready' in message) continue;
        yield message;
        if ('document' in message) this.#send(child, { taken: true });
      }
      if (memoryOf(child) > USED_UP) this.close();
    } catch (error) {
      this.close();
      if (!(error instanceof GivenUp)) throw error;
      const { reason, fix } = error;
      yield { notice: { kind: 'failed', place: job.path, reason, fix } };
    }
  }

  /** Ends the process. Another read starts a new one. */
  close(): void {
    this.#child?.then((child) => child.kill('SIGKILL'));
    this.#child = undefined;
    this.#messages = [];
  }

  #start(): Promise<ChildProcess> {
    this.#child ??= this.#fork();
    return this.#child;
  }

  async #fork(): Promise<ChildProcess> {
    const child = forkModule(new URL('./child.ts', import.meta.url), [], {
      execArgv: ['--max-old-space-size=1024'],
      serialization: 'advanced',
      // Parsers print warnings, which say nothing that the notices do not.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const messages: FromChild[] = [];
    this.#messages = messages;
    child.on('message', (message: FromChild) => {
      messages.push(message);
      this.#wake();
    });
    child.on('exit', () => this.#wake());
    await Promise.race([once(child, 'message'), once(child, 'exit')]);
    if (messages.length === 0)
      throw new Error('The process that reads files did not start. Install the packages again.');
    return child;
  }

  #send(child: ChildProcess, message: ToChild): void {
    // The exit event reports a process that ended meanwhile.
    child.send(message, () => {});
  }

  /** How long to wait for the next document of a file, in milliseconds. */
  #patience({ localPath }: ReadJob): number {
    const { milliseconds, bytesPerSecond } = this.#limits;
    const size = statSync(localPath, { throwIfNoEntry: false })?.size ?? 0;
    return milliseconds + (1000 * size) / bytesPerSecond;
  }

  async #next(child: ChildProcess, patience: number): Promise<FromChild> {
    const deadline = performance.now() + patience;
    for (;;) {
      const message = this.#messages.shift();
      if (message) return message;
      if (child.exitCode !== null || child.signalCode !== null)
        throw new GivenUp('ends the program that reads it', 'Save it again in another format.');
      if (memoryOf(child) > this.#limits.memory)
        throw new GivenUp('needs too much memory', 'Split it into smaller files.');
      if (performance.now() > deadline)
        throw new GivenUp('takes too long', 'Split it into smaller files, or save it again.');
      await this.#wait();
    }
  }

  /** Waits for a message, but not long. */
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

/** Resident bytes of a process (proc_pid_statm(5)); 0 where the system does not tell. */
function memoryOf({ pid }: ChildProcess): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  } catch {
    return 0;
  }
}
