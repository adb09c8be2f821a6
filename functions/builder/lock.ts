import { type Holder, Lease, type LeaseBucket, type LeaseKind } from '../../index/aws/lease.ts';
import { parseJson } from '../../index/kit/json.ts';
import { otherFormat } from './builds.ts';

export const LOCK = 'builder/lock.json';

/** Increased when older builders would misread the lock. */
const FORMAT = 1;

/** The lock. Its state is the id of the build that has it, or null when it is free. */
export type Lock = Lease<string | null>;

const KIND: LeaseKind<string | null> = {
  key: LOCK,
  read: parse,
  write: ({ state, token, expires }) =>
    JSON.stringify({ format: FORMAT, build: state, owner: token, expires: new Date(expires).toISOString() }),
  lost: (cause) => {
    const reason = cause ? 'it could not be renewed' : 'another build took it';
    const message = `This build lost its lock (${reason}), so it published nothing. The next build publishes.`;
    return new Error(message, { cause });
  },
};

/** An attempt to take the lock. */
export type Attempt =
  | {
      lock: Lock;
      /** The build that held the lock, and ended without releasing it. */
      died?: string | undefined;
    }
  /** The build that holds it; undefined if several builds compete for it. */
  | { lock?: undefined; heldBy: string | undefined };

/**
 * Takes the lock for a build, unless another build holds it: one build runs at a time. A build takes over what its earlier run handed
 * over, and what a build left that died.
 * @throws if another version of polyseek wrote the lock
 */
export async function takeLock(bucket: LeaseBucket, build: string): Promise<Attempt> {
  let holder: string | undefined;
  const lock = await Lease.take(bucket, KIND, (found) => {
    const isHandedOver = found?.state === build && found.token === null;
    holder = isHandedOver ? undefined : (found?.state ?? undefined);
    return holder !== undefined && found!.left > 0 ? undefined : build;
  });
  return lock ? { lock, died: holder } : { heldBy: holder };
}

/** Reads a lock. One that is not readable is free: only a bug or a person writes one. */
function parse(text: string): Holder<string | null> {
  const free = { format: FORMAT, build: null, owner: null, expires: '' };
  const { format, build, owner, expires } = { ...free, ...(parseJson(text) as object) };
  if (format !== FORMAT) throw otherFormat(LOCK, format, FORMAT);
  return { state: build, token: owner, expires: Date.parse(expires) };
}
