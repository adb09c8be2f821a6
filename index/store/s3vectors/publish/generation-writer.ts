import type { Condition } from '../../../aws/s3.ts';
import { describeFile, type FileList } from '../../../format/checks.ts';
import {
  type Current,
  type Generation,
  hasGoneObject,
  readCurrent,
  readGeneration,
  readGone,
  type Segment,
  writeCurrent,
} from '../generation.ts';
import { damagedInS3, generationObject, goneObject, isDamage, OBJECTS } from '../objects.ts';
import type { Journal } from './journal.ts';
import type { Service } from './service.ts';

/** Milliseconds for which a replaced generation stays: requests may still read it. */
export const GRACE = 60_000;

/** `current.json`, and the condition for replacing it. */
export interface Pointer {
  current?: Current;
  condition: Condition;
}

/**
 * Reads `current.json`.
 * @param ignoreDamage take a damaged one as one without a generation
 */
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
 * @param ignoreDamage take a damaged `current.json` as one without a generation
 */
export async function settle(service: Service, journal: Journal, ignoreDamage = false): Promise<Pointer> {
  const pointer = await readPointer(service, ignoreDamage);
  const { publication, abandoned } = journal.work;
  const isCurrent = (one?: { generation: number }) =>
    one !== undefined && one.generation === pointer.current?.generation;
  if (isCurrent(publication) || abandoned.some(isCurrent))
    await journal.record({
      publication: isCurrent(publication) ? undefined : publication,
      abandoned: abandoned.filter((one) => !isCurrent(one)),
    });
  return pointer;
}

/**
 * Makes a generation current. This one write changes what searches see.
 * @throws if someone else has replaced `current.json` since it was read
 */
export async function movePointer(
  service: Service,
  { current: before, condition }: Pointer,
  generation: number,
): Promise<Current> {
  const now = Date.now();
  const since = new Date(now).toISOString();
  const replaced = before ? [...before.replaced] : [];
  if (before && before.generation !== generation)
    replaced.unshift({ generation: before.generation, until: since });
  const bytes = writeCurrent({
    generation,
    since,
    replaced: replaced.filter(({ until }, i) => i === 0 || now - Date.parse(until) < GRACE),
  });
  const name = service.nameOf(OBJECTS.current);
  if ((await service.objects.putIf(OBJECTS.current, bytes, condition)) === undefined)
    throw new Error(
      `${name}: another command has changed the current generation meanwhile. Nothing was made current. Check with npx polyseek versions, then run this command again.`,
    );
  return readCurrent(bytes, name);
}

/** Reads a generation's manifest. */
export async function readManifestOf(service: Service, generation: number): Promise<Generation> {
  const key = generationObject(generation, OBJECTS.manifest);
  return readGeneration(await readExisting(service, key), service.nameOf(key));
}

/**
 * Reads a whole object that a manifest lists, and compares its size and checksum.
 * @param key below the index's name
 */
export async function readObjectOf(service: Service, key: string, listed: FileList[string]): Promise<Buffer> {
  const object = await readExisting(service, key);
  const { bytes, crc32 } = describeFile(object);
  if (bytes !== listed.bytes || crc32 !== listed.crc32)
    throw damagedInS3(service.nameOf(key), 'its size or checksum differs from its manifest');
  return object;
}

async function readExisting(service: Service, key: string): Promise<Buffer> {
  const stored = await service.objects.find(key);
  if (!stored) throw damagedInS3(service.nameOf(key), 'it is missing');
  return stored.bytes;
}

/** Reads the gone rows of a generation's segment, ascending. */
export async function readGoneOf(
  service: Service,
  { generation, files }: Generation,
  segment: Segment,
): Promise<Uint32Array> {
  const name = goneObject(segment.id);
  const listed = files[name];
  const object =
    hasGoneObject(segment) && listed
      ? await readObjectOf(service, generationObject(generation, name), listed)
      : undefined;
  return readGone(segment, object, service.nameOf(generationObject(generation, OBJECTS.manifest)));
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
