import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { isListOf, isOptional, isShaped, isText, isWhole } from '../../../format/shapes.ts';
import { FORMAT } from '../generation.ts';
import { isSegmentId, OBJECTS } from '../objects.ts';
import type { Condition, Service } from './service.ts';

/** Milliseconds that a lease lasts, and after which it is renewed. */
const LEASE = 60_000;
const RENEWAL = 15_000;
/** Most milliseconds that are left of a lease, with clocks that differ by a minute. More is left only if a clock was wrong. */
const MOST_LEFT = LEASE + 60_000;
/** Milliseconds between looks at another's lease. */
const POLL = 1000;

/** A publication that is not finished. */
export interface Publication {
  /** A digest of the base generation and of everything to write. */
  plan: string;
  generation: number;
  segment: string;
  created: string;
  /** Rows of the segment, and how many of them are written, from the first. */
  rows: number;
  written: number;
}

/** A publication that never became current. */
export type Abandoned = Pick<Publication, 'generation' | 'segment' | 'rows' | 'written'>;

/** The work that `journal.json` records. */
export interface Work {
  publication?: Publication;
  /** Publications whose rows and objects still have to be deleted. */
  abandoned: Abandoned[];
  /** Generations that are being deleted. Nobody may return to them. */
  removing: number[];
}

interface JournalObject extends Work {
  format: number;
  /** Who runs, for people. */
  owner: string;
  /** Random digits of the process that runs. */
  token: string;
  /** When others may take over, in ISO 8601. */
  expires: string;
}

const ABANDONED = {
  generation: isWhole(1),
  segment: isSegmentId,
  rows: isWhole(0),
  written: isWhole(0),
};
const isJournal = isShaped({
  owner: isText,
  token: isText,
  expires: isText,
  publication: isOptional(isShaped({ ...ABANDONED, plan: isText, created: isText })),
  abandoned: isListOf(isShaped(ABANDONED)),
  removing: isListOf(isWhole(1)),
});

/** Another process publishes, or has taken over. */
export class Busy extends Error {}

/** This process, for people. */
export function thisProcess(): string {
  return `process ${process.pid} on ${hostname()}`;
}

/** Reads the work in `journal.json`, whoever does it, and the time until which someone does. */
export async function readWork(service: Service): Promise<Work & { expires: number }> {
  const { journal } = await readJournal(service);
  const { publication, abandoned = [], removing = [], expires } = journal ?? {};
  return { publication, abandoned, removing, expires: expires === undefined ? 0 : Date.parse(expires) };
}

/**
 * The lease that lets one process at a time change an index, and the record of its work. It is renewed until `release`. Nothing relies
 * on clocks: a process that loses its lease without noticing cannot replace `current.json`, and spoils no other's rows.
 */
export class Journal {
  readonly #service: Service;
  readonly #owner: string;
  readonly #token = randomBytes(8).toString('hex');
  #work: Work;
  #condition: Condition;
  #writing: Promise<void> = Promise.resolve();
  #lost: Error | undefined;
  readonly #timer: NodeJS.Timeout;

  private constructor(service: Service, owner: string, work: Work, condition: Condition) {
    this.#service = service;
    this.#owner = owner;
    this.#work = work;
    this.#condition = condition;
    this.#timer = setInterval(() => {
      // The next step reports a failure.
      this.record({}).catch(() => {});
    }, RENEWAL);
    this.#timer.unref();
  }

  /**
   * Takes the lease, and the work that its last owner left.
   * @param patience milliseconds to wait for another process
   * @throws `Busy` if another process still has it then
   */
  static async acquire(
    service: Service,
    owner: string,
    patience: number,
    signal?: AbortSignal,
  ): Promise<Journal> {
    const end = performance.now() + patience;
    for (;;) {
      const { journal, condition } = await readJournal(service);
      const left = journal === undefined ? 0 : Date.parse(journal.expires) - Date.now();
      if (journal === undefined || left <= 0 || left > MOST_LEFT) {
        const { publication, abandoned = [], removing = [] } = journal ?? {};
        const taken = new Journal(service, owner, { publication, abandoned, removing }, condition);
        try {
          await taken.record({});
          return taken;
        } catch (error) {
          taken.#stop();
          // Someone else was faster.
          if (!(error instanceof Busy)) throw error;
        }
      } else if (performance.now() >= end) {
        const seconds = Math.max(1, Math.ceil(left / 1000));
        throw new Busy(
          `Another command changes this index (${journal.owner}). Wait until it ends. If it was killed, run this command again in ${seconds} seconds.`,
        );
      }
      await wait(POLL, undefined, { signal });
    }
  }

  /** The recorded work. */
  get work(): Readonly<Work> {
    return this.#work;
  }

  /**
   * Records a change of the work, and renews the lease.
   * @throws `Busy` if another process has taken over
   */
  record(change: Partial<Work>): Promise<void> {
    this.#work = { ...this.#work, ...change };
    return this.#write(LEASE);
  }

  /** Does something, and then releases the lease. */
  async during<T>(run: () => Promise<T>): Promise<T> {
    try {
      const result = await run();
      await this.release();
      return result;
    } catch (error) {
      // The first failure is the one to report. Without a release, the lease ends by itself.
      await this.release().catch(() => {});
      throw error;
    }
  }

  /** Lets others go on. Work that is not finished stays recorded. */
  async release(): Promise<void> {
    this.#stop();
    if (this.#lost === undefined) await this.#write(0);
  }

  #stop(): void {
    clearInterval(this.#timer);
  }

  /** One after the other: each write needs the ETag of the one before. */
  #write(lease: number): Promise<void> {
    const write = async () => {
      if (this.#lost) throw this.#lost;
      const contents: JournalObject = {
        format: FORMAT,
        owner: this.#owner,
        token: this.#token,
        expires: new Date(Date.now() + lease).toISOString(),
        ...this.#work,
      };
      const bytes = Buffer.from(JSON.stringify(contents));
      const etag = await this.#service.putIf(OBJECTS.journal, bytes, this.#condition);
      if (etag === undefined) {
        this.#lost = new Busy('Another command has taken over this index. Run this command again.');
        throw this.#lost;
      }
      this.#condition = { etag };
    };
    const written = this.#writing.then(write, write);
    this.#writing = written;
    return written;
  }
}

async function readJournal(service: Service): Promise<{ journal?: JournalObject; condition: Condition }> {
  const stored = await service.get(OBJECTS.journal);
  if (!stored) return { condition: 'missing' };
  const name = service.nameOf(OBJECTS.journal);
  const journal = parse(stored.bytes);
  if (journal?.format !== undefined && journal.format !== FORMAT)
    throw new Error(
      `${name} has format ${journal.format}, but this polyseek reads format ${FORMAT}. Use the newest version of polyseek.`,
    );
  if (!isJournal(journal))
    throw new Error(
      `${name} is damaged: its keys are invalid. Delete this object, then run npx polyseek prune.`,
    );
  return { journal: journal!, condition: { etag: stored.etag } };
}

function parse(bytes: Buffer): JournalObject | undefined {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
