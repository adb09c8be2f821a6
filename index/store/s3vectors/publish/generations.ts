import { describeFile, type FileList } from '../../../format/checksums.ts';
import { damagedInS3, isDamage } from '../damaged.ts';
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
import { generationObject, goneObject, OBJECTS } from '../objects.ts';
import { readWork } from './journal.ts';
import type { Condition, Service } from './service.ts';

/** Milliseconds for which a replaced generation stays: requests may still read it. */
export const GRACE = 60_000;

/** `current.json`, and the condition for replacing it. */
export interface Pointer {
  current?: Current;
  condition: Condition;
}

/** A generation, for people. */
export interface GenerationInfo {
  generation: number;
  /** Whether searches use it. */
  current: boolean;
  created: string;
  /** Version of the index. */
  version: string;
  model: string;
  documents: number;
  passages: number;
  segments: number;
}

/**
 * Reads `current.json`.
 * @param ignoreDamage take a damaged one as one without a generation
 */
export async function readPointer(service: Service, ignoreDamage = false): Promise<Pointer> {
  const stored = await service.get(OBJECTS.current);
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
 * Makes a generation current. This one write changes what searches see.
 * @throws if someone else has replaced `current.json` since it was read
 */
export async function movePointer(service: Service, pointer: Pointer, generation: number): Promise<Pointer> {
  const { current: before, condition } = pointer;
  const now = Date.now();
  const since = new Date(now).toISOString();
  const replaced =
    before &&
    [
      ...(before.generation === generation ? [] : [{ generation: before.generation, until: since }]),
      ...before.replaced,
    ].filter(({ until }, i) => i === 0 || now - Date.parse(until) < GRACE);
  const bytes = writeCurrent({ generation, since, replaced: replaced ?? [] });
  const etag = await service.putIf(OBJECTS.current, bytes, condition);
  if (etag === undefined)
    throw new Error(
      `${service.nameOf(OBJECTS.current)}: another command has changed the current generation meanwhile. Nothing was made current. Check with npx polyseek versions, then run this command again.`,
    );
  return { current: readCurrent(bytes, service.nameOf(OBJECTS.current)), condition: { etag } };
}

/** Reads a generation's manifest. */
export async function readManifestOf(service: Service, generation: number): Promise<Generation> {
  const key = generationObject(generation, OBJECTS.manifest);
  const stored = await service.get(key);
  if (!stored) throw damagedInS3(service.nameOf(key), 'it is missing');
  return readGeneration(stored.bytes, service.nameOf(key));
}

/**
 * Reads a whole object that a manifest lists, and compares its size and checksum.
 * @param key below the index's name
 */
export async function readObjectOf(service: Service, key: string, listed: FileList[string]): Promise<Buffer> {
  const stored = await service.get(key);
  if (!stored) throw damagedInS3(service.nameOf(key), 'it is missing');
  const { bytes, crc32 } = describeFile(stored.bytes);
  if (bytes !== listed.bytes || crc32 !== listed.crc32)
    throw damagedInS3(service.nameOf(key), 'its size or checksum differs from its manifest');
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
  const keys = await service.list('generations/');
  return keys
    .map((key) => /^generations\/([1-9]\d*)\/manifest\.json$/.exec(key)?.[1])
    .filter((number) => number !== undefined)
    .map(Number)
    .sort((a, b) => b - a);
}

/** Lists the generations that a search can return to, newest first. */
export async function listGenerations(service: Service): Promise<GenerationInfo[]> {
  const { current } = await readPointer(service);
  const { removing, publication } = await readWork(service);
  const infos: GenerationInfo[] = [];
  for (const number of await listNumbers(service)) {
    if (removing.includes(number) || number === publication?.generation) continue;
    const { generation, created, version, model, counts, segments } = await readManifestOf(service, number);
    infos.push({
      generation,
      current: generation === current?.generation,
      created,
      version,
      model: model.name,
      documents: counts.documents,
      passages: counts.passages,
      segments: segments.length,
    });
  }
  return infos;
}
