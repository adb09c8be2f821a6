import type { Current } from '../generation.ts';
import { damagedInS3, isDamage, OBJECTS, parseVectorKey, vectorKey } from '../objects.ts';
import { GRACE, listNumbers, readGoneOf, readManifestOf } from './generation-writer.ts';
import type { Journal, Work } from './journal.ts';
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

/** What to delete. */
interface Waste {
  deleted: number[];
  kept: number[];
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
  journal: Pick<Journal, 'work' | 'record'>,
  current: Current,
  keep: number,
  sweep = false,
): Promise<Pruned> {
  const waste = await findWaste(service, journal.work, current, keep, sweep);
  const { deleted, kept, vectors, objects } = waste;
  if (deleted.length > 0) await journal.record({ removing: deleted });
  await deleteVectors(service, vectors);
  // Manifests last: a process that continues needs them to find the rows.
  const isManifest = (key: string) => key.endsWith(`/${OBJECTS.manifest}`);
  await service.objects.delete([...objects.filter((key) => !isManifest(key)), ...objects.filter(isManifest)]);
  const { removing, abandoned } = journal.work;
  if (removing.length + abandoned.length > 0) await journal.record({ removing: [], abandoned: [] });
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
  const readable = new Map<number, Part[]>();
  for (const number of numbers) {
    const parts = await partsOf(service, number).catch((error: unknown) => {
      // A damaged generation is deleted, unless it is the current one.
      if (number === current.generation || !isDamage(error)) throw error;
    });
    if (parts) readable.set(number, parts);
  }
  if (!readable.has(current.generation))
    throw damagedInS3(
      service.nameOf(OBJECTS.current),
      `it names generation ${current.generation}, which is missing`,
    );
  const kept = keptGenerations(current, [...readable.keys()], work.removing, keep);
  const deleted = numbers.filter((number) => !kept.includes(number));
  const rowsOf = (some: number[]) => new RowSet(some.flatMap((number) => readable.get(number) ?? []));
  const needed = rowsOf(kept);
  const isUnknown = deleted.some((number) => !readable.has(number));
  const vectors =
    sweep || isUnknown
      ? await unneededVectors(service, needed, publication?.segment)
      : [...goneVectors(needed, rowsOf(deleted)), ...abandonedVectors(work)];
  const isNeeded = (key: string) => {
    const [kind, id] = key.split('/') as [string, string];
    return kind === 'segments'
      ? needed.hasSegment(id) || id === publication?.segment
      : kept.includes(Number(id)) || Number(id) === publication?.generation;
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
  const recent = replaced.filter(({ until }) => Date.now() - Date.parse(until) < GRACE);
  const kept = new Set([generation, ...recent.map(({ generation }) => generation)]);
  for (const number of [...replaced.map(({ generation }) => generation), ...numbers])
    if (kept.size < keep && !removing.includes(number)) kept.add(number);
  return numbers.filter((number) => kept.has(number));
}

/** The segments of a generation. */
async function partsOf(service: Service, number: number): Promise<Part[]> {
  const parts: Part[] = [];
  const generation = await readManifestOf(service, number);
  for (const segment of generation.segments) {
    const { id, rows } = segment;
    parts.push({ id, rows, gone: await readGoneOf(service, generation, segment) });
  }
  return parts;
}

/** Rows that only deleted generations have. */
function* goneVectors(needed: RowSet, deleted: RowSet): Generator<string> {
  for (const [segment, row] of deleted) if (!needed.has(segment, row)) yield vectorKey(segment, row);
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

async function deleteVectors(service: Service, keys: readonly string[]): Promise<void> {
  function* calls() {
    for (let at = 0; at < keys.length; at += MOST_VECTORS)
      yield () => service.deleteVectors(keys.slice(at, at + MOST_VECTORS));
  }
  await inParallel(calls(), PARALLEL);
}

/** A segment of a generation, and its rows that are gone, ascending. */
interface Part {
  id: string;
  rows: number;
  gone: Uint32Array;
}

/** The rows of some generations: for each segment's id a byte for each row, 1 if a generation has it. */
class RowSet {
  readonly #rows = new Map<string, Uint8Array>();

  constructor(parts: readonly Part[]) {
    for (const { id, rows, gone } of parts) {
      const set = this.#rows.get(id) ?? new Uint8Array(rows);
      let next = 0;
      for (let row = 0; row < rows; row++) {
        if (gone[next] === row) next++;
        else set[row] = 1;
      }
      this.#rows.set(id, set);
    }
  }

  hasSegment(segment: string): boolean {
    return this.#rows.has(segment);
  }

  has(segment: string, row: number): boolean {
    return this.#rows.get(segment)?.[row] === 1;
  }

  *[Symbol.iterator](): Generator<[segment: string, row: number]> {
    for (const [segment, rows] of this.#rows)
      for (const [row, value] of rows.entries()) if (value) yield [segment, row];
  }
}
