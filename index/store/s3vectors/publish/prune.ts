import { batchesOf } from '../../../aws/s3.ts';
import {
  type Current,
  type Generation,
  isGone,
  loadGeneration,
  loadSegments,
  type SegmentRows,
} from '../generation.ts';
import { damagedInS3, generationObject, isDamage, OBJECTS, parseVectorKey, vectorKey } from '../objects.ts';
import { type Journal, record, type Work } from './journal.ts';
import { isRecent, listNumbers } from './pointer.ts';
import { inParallel, MOST_VECTORS, PARALLEL, type Service } from './service.ts';

/** Generations that stay by default: the current one, and the one before for a rollback. */
export const DEFAULT_KEEP = 2;

/** Rows that a publication may have sent beyond those that its journal counts. */
const MOST_UNCOUNTED = PARALLEL * MOST_VECTORS;

/** What was deleted, or would be. */
export interface Pruned {
  /** Numbers of generations, newest first. */
  deleted: number[];
  kept: number[];
  vectors: number;
  objects: number;
}

/** What to delete: generations, and the keys of vectors and objects. */
interface Waste extends Pick<Pruned, 'deleted' | 'kept'> {
  vectors: string[];
  objects: string[];
}

/**
 * Deletes the generations that are not kept, all rows and objects that no kept generation needs, and those of abandoned publications.
 * `current.json` must have changed since they were abandoned.
 * @param keep generations to keep, with the current one
 * @param sweep look at all vectors, and so find those that no journal knows
 */
export async function deleteWaste(
  service: Service,
  journal: Journal,
  current: Current,
  keep: number,
  sweep = false,
): Promise<Pruned> {
  const waste = await findWaste(service, journal.state, current, keep, sweep);
  const { deleted, kept, vectors, objects } = waste;
  if (deleted.length > 0) await record(journal, { removing: deleted });
  await inParallel(batchesOf(vectors, MOST_VECTORS), (keys) => service.deleteVectors(keys));
  // Manifests last: a process that continues needs them to find the rows.
  const isManifest = (key: string) => Number(key.endsWith(`/${OBJECTS.manifest}`));
  await service.objects.delete(objects.toSorted((a, b) => isManifest(a) - isManifest(b)));
  const { removing, abandoned } = journal.state;
  if (removing.length + abandoned.length > 0) await record(journal, { removing: [], abandoned: [] });
  return { deleted, kept, vectors: vectors.length, objects: objects.length };
}

/** Finds what `deleteWaste` would delete, and changes nothing. */
export async function findWaste(
  service: Service,
  work: Readonly<Work>,
  current: Current,
  keep: number,
  sweep: boolean,
): Promise<Waste> {
  const { publication } = work;
  const unfinished = [publication, ...work.abandoned].map((one) => one?.generation);
  const numbers = (await listNumbers(service)).filter((number) => !unfinished.includes(number));
  const readable = new Map<number, { manifest: Generation; segments: SegmentRows[] }>();
  for (const number of numbers) {
    try {
      const manifest = await loadGeneration(service, number);
      readable.set(number, { manifest, segments: await loadSegments(service, manifest) });
    } catch (error) {
      // A damaged generation is deleted, unless it is the current one.
      if (number === current.generation || !isDamage(error)) throw error;
    }
  }
  if (!readable.has(current.generation))
    throw damagedInS3(
      service.nameOf(OBJECTS.current),
      `it names generation ${current.generation}, which is missing`,
    );
  for (const [number, { manifest }] of readable)
    for (const { generation } of manifest.restricted ?? []) {
      if (readable.has(generation)) continue;
      const name = service.nameOf(generationObject(generation, OBJECTS.manifest));
      if (number === current.generation) throw damagedInS3(name, 'it is missing or unreadable');
      readable.delete(number);
    }
  const forEveryone = [...readable.keys()].filter((number) => !readable.get(number)!.manifest.access);
  const kept = keptGenerations(current, forEveryone, work.removing, keep);
  const restricted = kept.flatMap((number) => readable.get(number)!.manifest.restricted ?? []);
  const neededNumbers = new Set([...kept, ...restricted.map(({ generation }) => generation)]);
  const unneeded = numbers.filter((number) => !neededNumbers.has(number));
  const deleted = unneeded.filter((number) => !readable.get(number)?.manifest.access);
  const rowsOf = (some: Iterable<number>) =>
    new RowSet([...some].flatMap((number) => readable.get(number)?.segments ?? []));
  const needed = rowsOf(neededNumbers);
  const isUnknown = unneeded.some((number) => !readable.has(number));
  const vectors =
    sweep || isUnknown
      ? await unneededVectors(service, needed, publication?.segment)
      : [...rowsOf(unneeded).without(needed), ...abandonedVectors(work)];
  const isNeeded = (key: string) => {
    const [kind, id] = key.split('/') as [string, string];
    return kind === 'segments'
      ? needed.hasSegment(id) || id === publication?.segment
      : neededNumbers.has(Number(id)) || Number(id) === publication?.generation;
  };
  const all = [...(await service.objects.list('segments/')), ...(await service.objects.list('generations/'))];
  return { deleted, kept, vectors, objects: all.map(({ key }) => key).filter((key) => !isNeeded(key)) };
}

/**
 * The generations to keep: the current one, those that requests may still read, and then the one that was current before and the newest
 * ones, until there are `keep`.
 */
function keptGenerations(
  { generation, replaced }: Current,
  numbers: readonly number[],
  removing: readonly number[],
  keep: number,
): number[] {
  const kept = new Set([generation, ...replaced.filter(isRecent).map(({ generation }) => generation)]);
  for (const number of [...replaced.map(({ generation }) => generation), ...numbers])
    if (kept.size < keep && !removing.includes(number)) kept.add(number);
  return numbers.filter((number) => kept.has(number));
}

/** Rows of abandoned publications, with some that may have been sent. */
function* abandonedVectors({ abandoned }: Readonly<Work>): Generator<string> {
  for (const { segment, rows, written } of abandoned)
    for (let row = 0; row < Math.min(rows, written + MOST_UNCOUNTED); row++) yield vectorKey(segment, row);
}

/** All vectors of segments but those that are needed, and those of a segment that is being written. */
async function unneededVectors(
  service: Service,
  needed: RowSet,
  writing: string | undefined,
): Promise<string[]> {
  const unneeded: string[] = [];
  for await (const keys of service.vectorKeys())
    for (const key of keys) {
      const row = parseVectorKey(key);
      if (row && row.segment !== writing && !needed.has(row.segment, row.row)) unneeded.push(key);
    }
  return unneeded;
}

/** The rows of some generations. */
class RowSet {
  /** Of each segment its rows, and those that are gone in each generation. */
  readonly #segments = new Map<string, { rows: number; gone: Uint32Array[] }>();

  constructor(segments: readonly SegmentRows[]) {
    for (const { id, rows, gone } of segments) {
      const others = this.#segments.get(id)?.gone ?? [];
      this.#segments.set(id, { rows, gone: [...others, gone] });
    }
  }

  hasSegment(segment: string): boolean {
    return this.#segments.has(segment);
  }

  has(segment: string, row: number): boolean {
    const { rows = 0, gone = [] } = this.#segments.get(segment) ?? {};
    return row < rows && gone.some((one) => !isGone(one, row));
  }

  /** The keys of the vectors of rows that others do not have. */
  *without(others: RowSet): Generator<string> {
    for (const [segment, { rows }] of this.#segments)
      for (let row = 0; row < rows; row++)
        if (this.has(segment, row) && !others.has(segment, row)) yield vectorKey(segment, row);
  }
}
