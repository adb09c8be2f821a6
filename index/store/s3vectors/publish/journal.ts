import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { type Found, Lease, type LeaseKind } from '../../../aws/lease.ts';
import { isListOf, isOptional, isShaped, isText, isWhole } from '../../../format/shapes.ts';
import { parseJson } from '../../../kit/json.ts';
import { FORMAT } from '../generation.ts';
import { isSegmentId, OBJECTS } from '../objects.ts';
import type { Service } from './service.ts';

/** Milliseconds between looks at another's lease. */
const POLL = 1000;

/** A publication that is not current. */
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

/** A publication that can be continued if its plan is known. */
export type Abandoned = Omit<Publication, 'plan' | 'created'> & Partial<Publication>;

/** The work that `journal.json` records. */
export interface Work {
  publication?: Publication;
  /**
   * Publications that may be continued, until another generation becomes current. Then their rows and objects are deleted, except for
   * restricted generations that it names.
   */
  abandoned: Abandoned[];
  /** Generations that are being deleted. Nobody may return to them. */
  removing: number[];
}

/** The state of the lease: the work, and who does it, for people. */
interface State extends Work {
  owner: string;
}

const ABANDONED = {
  plan: isOptional(isText),
  generation: isWhole(1),
  segment: isSegmentId,
  created: isOptional(isText),
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

export interface HoldOptions {
  /** Who works, for the error of others. Default: the process and the machine. */
  owner?: string | undefined;
  /** Milliseconds to wait for another process. Default: 0. */
  patience?: number | undefined;
  /** Ends the wait. */
  signal?: AbortSignal | undefined;
}

/** Reads the work in `journal.json`, whoever does it. */
export async function readWork(service: Service): Promise<Work> {
  const stored = await service.objects.find(OBJECTS.journal);
  return stored ? kindOf(service).read(stored.bytes.toString()).state : { abandoned: [], removing: [] };
}

/**
 * The lease that lets one process at a time change an index, and the record of its work. It is renewed until its release. A process that
 * loses its lease without noticing cannot replace `current.json`, and spoils no other's rows.
 */
export type Journal = Lease<State>;

/** Takes the lease, and the work that its last owner left. Throws if another process still has it after `patience`. */
export async function takeJournal(
  service: Service,
  { owner = `process ${process.pid} on ${hostname()}`, patience = 0, signal }: HoldOptions = {},
): Promise<Journal> {
  const end = performance.now() + patience;
  for (;;) {
    let other: Found<State> | undefined;
    const lease = await Lease.take(service.objects, kindOf(service), (found) => {
      other = found;
      const { publication, abandoned = [], removing = [] } = found?.state ?? {};
      return found && found.left > 0 ? undefined : { owner, publication, abandoned, removing };
    });
    if (lease) return lease;
    if (performance.now() >= end) {
      const seconds = Math.max(1, Math.ceil((other?.left ?? 0) / 1000));
      throw new Error(
        `Another command changes this index (${other?.state.owner}). Wait until it ends. If it was killed, run this command again in ${seconds} seconds.`,
      );
    }
    await wait(POLL, undefined, { signal });
  }
}

/** Does something while no other process changes the index. Work that it does not finish stays recorded. */
export async function withJournal<T>(
  service: Service,
  options: HoldOptions,
  run: (journal: Journal) => Promise<T>,
): Promise<T> {
  const journal = await takeJournal(service, options);
  try {
    const result = await run(journal);
    await journal.release();
    return result;
  } catch (error) {
    // The first failure is the one to report. Without a release, the lease ends by itself.
    await journal.release().catch(() => {});
    throw error;
  }
}

/** Records a change of the work, and renews the lease. Throws if another process has taken over. */
export function record(journal: Journal, change: Partial<Work>): Promise<void> {
  return journal.renew({ ...journal.state, ...change });
}

function kindOf(service: Service): LeaseKind<State> {
  const name = service.nameOf(OBJECTS.journal);
  return {
    key: OBJECTS.journal,
    write: ({ state, token, expires }) =>
      JSON.stringify({ format: FORMAT, token, expires: new Date(expires).toISOString(), ...state }),
    read: (text) => {
      const journal = parseJson(text) as
        | (State & { format: number; token: string; expires: string })
        | null
        | undefined;
      if (journal?.format !== undefined && journal.format !== FORMAT)
        throw new Error(
          `${name} has format ${journal.format}, but this polyseek reads format ${FORMAT}. Use the newest version of polyseek.`,
        );
      if (!isJournal(journal))
        throw new Error(
          `${name} is damaged: its keys are invalid. Delete this object, then run npx polyseek prune.`,
        );
      const { format: _, token, expires, ...state } = journal!;
      return { state, token, expires: Date.parse(expires) };
    },
    lost: (cause) =>
      cause instanceof Error
        ? cause
        : new Error('Another command has taken over this index. Run this command again.'),
  };
}
