import type { Condition } from '../../../aws/s3.ts';
import { type Current, loadGeneration, readCurrent, writeCurrent } from '../generation.ts';
import { isDamage, OBJECTS } from '../objects.ts';
import { type Journal, record } from './journal.ts';
import type { Service } from './service.ts';

/** Milliseconds for which a replaced generation stays: requests may still read it. */
const GRACE = 60_000;

/** Whether requests may still read a generation that was replaced. */
export function isRecent({ until }: Current['replaced'][number]): boolean {
  return Date.now() - Date.parse(until) < GRACE;
}

/** `current.json`, and the condition for replacing it. */
export interface Pointer {
  current?: Current;
  condition: Condition;
}

/** Reads `current.json`. With `ignoreDamage`, a damaged one is one without a generation. */
export async function readPointer(service: Service, ignoreDamage = false): Promise<Pointer> {
  const stored = await service.objects.find(OBJECTS.current);
  if (!stored) return { condition: 'missing' };
  const condition = { etag: stored.etag };
  try {
    return { current: readCurrent(stored.bytes, service.nameOf(OBJECTS.current)), condition };
  } catch (error) {
    if (ignoreDamage && isDamage(error)) return { condition };
    throw error;
  }
}

/**
 * Reads `current.json` for a change, and forgets publications that became current after all: their process was killed, or lost its
 * lease, between replacing `current.json` and recording that.
 */
export async function settle(service: Service, journal: Journal, ignoreDamage = false): Promise<Pointer> {
  const pointer = await readPointer(service, ignoreDamage);
  const { publication, abandoned } = journal.state;
  const finished = new Set<number>();
  if (pointer.current && (publication || abandoned.length > 0))
    for (const one of await withRestricted(service, pointer.current.generation, ignoreDamage))
      finished.add(one);
  const isUnfinished = (one: { generation: number }) => !finished.has(one.generation);
  const left = {
    publication: publication && isUnfinished(publication) ? publication : undefined,
    abandoned: abandoned.filter(isUnfinished),
  };
  if (left.publication !== publication || left.abandoned.length < abandoned.length)
    await record(journal, left);
  return pointer;
}

/** The number of a generation, and of the restricted ones that it names. */
async function withRestricted(
  service: Service,
  generation: number,
  ignoreDamage: boolean,
): Promise<number[]> {
  try {
    const { restricted = [] } = await loadGeneration(service, generation);
    return [generation, ...restricted.map((one) => one.generation)];
  } catch (error) {
    if (ignoreDamage && isDamage(error)) return [generation];
    throw error;
  }
}

/** Makes a generation current. This one write changes what searches see. Throws if someone else has replaced `current.json` meanwhile. */
export async function movePointer(
  service: Service,
  { current: before, condition }: Pointer,
  generation: number,
): Promise<Current> {
  const since = new Date().toISOString();
  const replaced = before ? [...before.replaced] : [];
  if (before && before.generation !== generation)
    replaced.unshift({ generation: before.generation, until: since });
  const bytes = writeCurrent({
    generation,
    since,
    replaced: replaced.filter((one, i) => i === 0 || isRecent(one)),
  });
  const name = service.nameOf(OBJECTS.current);
  if ((await service.objects.putIf(OBJECTS.current, bytes, condition)) === undefined)
    throw new Error(
      `${name}: another command has changed the current generation meanwhile. Nothing was made current. Check with npx polyseek versions, then run this command again.`,
    );
  return readCurrent(bytes, name);
}

/** The numbers of all generations that have a manifest, newest first. */
export async function listNumbers(service: Service): Promise<number[]> {
  const objects = await service.objects.list('generations/');
  return objects
    .map(({ key }) => /^generations\/([1-9]\d*)\/manifest\.json$/.exec(key)?.[1])
    .filter((number) => number !== undefined)
    .map(Number)
    .sort((a, b) => b - a);
}
