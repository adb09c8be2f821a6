import { createHash, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Index } from '@aws-sdk/client-s3vectors';
import { describeFile, type FileList } from '../../../format/checks.ts';
import { writeSections } from '../../../format/container.ts';
import { readFolder } from '../../../format/drafts.ts';
import { LANGUAGES } from '../../../format/languages-file.ts';
import { type Manifest, restrictedIn } from '../../../format/manifest.ts';
import { type Address, formatAddress } from '../address.ts';
import {
  type Generation,
  loadGeneration,
  loadSegments,
  type RestrictedGeneration,
  type Segment,
  writeGeneration,
  writeGone,
} from '../generation.ts';
import {
  checkObject,
  generationObject,
  goneObject,
  HASH_BYTES,
  OBJECTS,
  ORDER,
  segmentObject,
} from '../objects.ts';
import { encodeRow } from '../row.ts';
import {
  type HoldOptions,
  type Journal,
  type Publication,
  readWork,
  record,
  withJournal,
} from './journal.ts';
import { LocalRows } from './local-rows.ts';
import { hashAt, hashOf, type Plan, type PublishedSegment, planPublication, readHashes } from './plan.ts';
import { listNumbers, movePointer, type Pointer, readPointer, settle } from './pointer.ts';
import { DEFAULT_KEEP, deleteWaste, type Pruned } from './prune.ts';
import { type Service, type TransferOptions, withService } from './service.ts';
import { filterableOf, uploadSegment } from './upload.ts';

export interface PublishOptions extends TransferOptions, HoldOptions {
  /** Upload all passages again, whatever is there. */
  rewrite?: boolean;
}

/** The result of a publication. */
export interface Published {
  status: 'published' | 'unchanged';
  /** Where the index is. */
  address: string;
  /** The number of the current generation. */
  generation: number;
  /** Version of the index. */
  version: string;
  passages: number;
  /** Passages that were uploaded: new and changed ones, and those that moved to the new segment. */
  uploaded: number;
  /** Passages that stayed where they were. */
  kept: number;
  /** Passages of the generation before that are gone: deleted ones, and changed ones as they were. */
  removed: number;
  /** Bytes of the vectors and objects that were sent. */
  bytes: number;
  /** What was deleted afterwards, if anything could be. */
  pruned?: Pruned;
}

/** A local index: the one for everyone, or one in it that only some groups may search. */
interface LocalIndex {
  local: LocalRows;
  /** Of its rows, one after the other. */
  hashes: Uint8Array;
  /** The languages in order of first appearance, and their passages. */
  languages: Map<string, number>;
}

/** A publication that runs. */
interface Context {
  service: Service;
  journal: Journal;
  pointer: Pointer;
  options: PublishOptions;
}

/** Passages, as in `Published`. */
type Changes = Pick<Published, 'uploaded' | 'kept' | 'removed'>;

/**
 * Publishes a local index folder: uploads the passages that changed as a new segment, and makes the new generation current. Until
 * everything is there, searches see the generation before. Afterwards deletes old generations. After any failure, the next call
 * continues with the first batch that is not written. Each index in it that only some groups may search becomes a generation of its own,
 * which the current one names.
 * @param options its `signal` ends the publication after the batches that run
 * @throws before uploading if the index is damaged, a bucket or index is missing, the fields of a passage are too large, or another
 *   process publishes; if another process made a generation current meanwhile; the reason of `signal`
 */
export function publish(folder: string, address: Address, options: PublishOptions = {}): Promise<Published> {
  return withService(address, options, async (service) => {
    const locals = await readFolder(folder, openAll, closeAll);
    try {
      checkVectorIndex(await service.describeIndex(), locals[0]!.manifest, address);
      const current = await findUnchanged(service, locals, options);
      if (current !== undefined) return resultOf(service, locals, current);
      const indexes: LocalIndex[] = [];
      for (const local of locals) indexes.push(await readRows(local, options));
      return await withJournal(service, options, (journal) => run(service, journal, indexes, options));
    } finally {
      closeAll(locals);
    }
  });
}

/** Opens an index, and then those in it that only some groups may search. */
function openAll(folder: string): LocalRows[] {
  const opened: LocalRows[] = [];
  try {
    for (const one of [folder, ...restrictedIn(folder)]) opened.push(new LocalRows(one));
    return opened;
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

function closeAll(locals: readonly LocalRows[]): void {
  for (const local of locals) local.close();
}

/** The number of the current generation if it equals the local index, and nothing is unfinished. */
async function findUnchanged(
  service: Service,
  locals: readonly LocalRows[],
  { rewrite }: PublishOptions,
): Promise<number | undefined> {
  if (rewrite) return undefined;
  const { current } = await readPointer(service);
  const { publication, abandoned, removing } = await readWork(service);
  if (!current || publication || abandoned.length + removing.length > 0) return undefined;
  return isSame(await loadGeneration(service, current.generation), locals) ? current.generation : undefined;
}

/** Whether a generation contains the same indexes as a folder. */
function isSame({ version, restricted = [] }: Generation, [first, ...others]: readonly LocalRows[]): boolean {
  const versions = new Set(restricted.map(({ version }) => version));
  return (
    version === first!.manifest.version &&
    others.length === restricted.length &&
    others.every(({ manifest }) => versions.has(manifest.version))
  );
}

/** The result of a publication, by default of one without changes. */
function resultOf(
  { address, bytesSent }: Service,
  locals: readonly LocalRows[],
  generation: number,
  changes: Partial<Published> = {},
): Published {
  const passages = locals.reduce((sum, { count }) => sum + count, 0);
  return {
    status: 'unchanged',
    address: formatAddress(address),
    generation,
    version: locals[0]!.manifest.version,
    passages,
    uploaded: 0,
    kept: passages,
    removed: 0,
    bytes: bytesSent,
    ...changes,
  };
}

/** Reads all rows once, for their hashes and languages. Throws if the fields of a passage are too large. */
async function readRows(
  local: LocalRows,
  { progress = () => {}, signal }: PublishOptions,
): Promise<LocalIndex> {
  const hashes = new Uint8Array(local.count * HASH_BYTES);
  const languages = new Map<string, number>();
  for (let ordinal = 0; ordinal < local.count; ordinal++) {
    // Signals and timers run in between.
    if (ordinal % 1000 === 0) await new Promise(setImmediate);
    signal?.throwIfAborted();
    const row = local.row(ordinal);
    const { lang } = row.passage;
    filterableOf(row.passage);
    hashes.set(hashOf(encodeRow(row)), ordinal * HASH_BYTES);
    languages.set(lang, (languages.get(lang) ?? 0) + 1);
    progress({ phase: 'comparing', unit: 'passages', done: ordinal + 1, total: local.count });
  }
  return { local, hashes, languages };
}

async function run(
  service: Service,
  journal: Journal,
  indexes: readonly LocalIndex[],
  options: PublishOptions,
): Promise<Published> {
  const { rewrite = false } = options;
  const pointer = await settle(service, journal, rewrite);
  const base =
    pointer.current && !rewrite ? await loadGeneration(service, pointer.current.generation) : undefined;
  const locals = indexes.map(({ local }) => local);
  if (base && isSame(base, locals)) {
    await abandonPublication(journal);
    let current = pointer.current!;
    // After this, no abandoned publication can become current any more.
    if (journal.state.abandoned.length > 0) current = await movePointer(service, pointer, base.generation);
    const pruned = await deleteWaste(service, journal, current, DEFAULT_KEEP);
    return resultOf(service, locals, base.generation, { pruned });
  }
  const context: Context = { service, journal, pointer, options };
  const [forEveryone, ...others] = indexes;
  const restricted: RestrictedGeneration[] = [];
  const changes: Changes[] = [];
  for (const index of others) {
    const done = await publishRestricted(context, index, base?.restricted ?? []);
    restricted.push(done.generation);
    changes.push(done.changes);
  }
  for (const one of base?.restricted ?? [])
    if (!others.some(({ local }) => isDeepStrictEqual(local.manifest.access, one.access))) {
      const { counts } = await loadGeneration(service, one.generation);
      changes.push({ uploaded: 0, kept: 0, removed: counts.passages });
    }
  const done = await writeNew(context, forEveryone!, base, restricted);
  changes.push(done.changes);
  options.signal?.throwIfAborted();
  const current = await movePointer(service, pointer, done.generation);
  const named = new Set(restricted.map(({ generation }) => generation));
  const abandoned = journal.state.abandoned.filter(({ generation }) => !named.has(generation));
  await record(journal, { publication: undefined, abandoned });
  const pruned = await deleteWaste(service, journal, current, DEFAULT_KEEP);
  const sum = (key: keyof Changes) => changes.reduce((sum, one) => sum + one[key], 0);
  return resultOf(service, locals, done.generation, {
    status: 'published',
    uploaded: sum('uploaded'),
    kept: sum('kept'),
    removed: sum('removed'),
    pruned,
  });
}

/** Writes the generation of an index that only some groups may search, unless the current one has the same. */
async function publishRestricted(
  context: Context,
  index: LocalIndex,
  published: readonly RestrictedGeneration[],
): Promise<{ generation: RestrictedGeneration; changes: Changes }> {
  const { local } = index;
  const { access = [], version } = local.manifest;
  const before = published.find((one) => isDeepStrictEqual(one.access, access));
  if (before?.version === version)
    return { generation: before, changes: { uploaded: 0, kept: local.count, removed: 0 } };
  const base = before && (await loadGeneration(context.service, before.generation));
  const { generation, changes } = await writeNew(context, index, base);
  // Until a current generation names it, it can be continued or deleted.
  await abandonPublication(context.journal);
  return { generation: { access, version, generation }, changes };
}

/**
 * Uploads what differs from a generation, and writes the new generation.
 * @param base the generation before of the same index
 */
async function writeNew(
  context: Context,
  index: LocalIndex,
  base: Generation | undefined,
  restricted: readonly RestrictedGeneration[] = [],
): Promise<{ generation: number; changes: Changes }> {
  const { service, journal, pointer, options } = context;
  const { local, hashes } = index;
  const { manifest } = local;
  const plan = planPublication(hashes, base ? await readSegments(service, base, manifest) : []);
  const written = Buffer.concat(Array.from(plan.written, (ordinal) => hashAt(hashes, ordinal)));
  const digest = digestOf(pointer.current?.generation, manifest.version, written, plan);
  const publication = await begin(context, digest, plan);
  options.signal?.throwIfAborted();
  const files = await uploadSegment(service, journal, local, plan.written, written, publication, options);
  await writeGenerationObjects(service, index, plan, publication, files, restricted);
  const uploaded = plan.written.length;
  const kept = local.count - uploaded;
  const removed = base ? base.counts.passages - (kept + plan.moved) : 0;
  return { generation: publication.generation, changes: { uploaded, kept, removed } };
}

/** The segments of a generation whose rows can stay: none if the model differs, because then all vectors do. */
async function readSegments(
  service: Service,
  base: Generation,
  { model, dimensions }: Manifest,
): Promise<PublishedSegment[]> {
  const isSame =
    base.model.hash === model.hash && base.model.neutral === model.neutral && base.dimensions === dimensions;
  if (!isSame) return [];
  const segments = await loadSegments(service, base);
  return Promise.all(
    segments.map(async (segment) => {
      const key = segmentObject(segment.id, OBJECTS.hashes);
      const bytes = await service.read(key);
      checkObject(bytes, segment.files[OBJECTS.hashes]!, service.nameOf(key));
      return { ...segment, hashes: readHashes(bytes, segment.rows, service.nameOf(key)) };
    }),
  );
}

/** Records a publication, or continues one that is recorded if it has the same plan. */
async function begin(
  { service, journal, pointer }: Context,
  digest: string,
  { written }: Plan,
): Promise<Publication> {
  await abandonPublication(journal);
  const { abandoned } = journal.state;
  const known = abandoned.find((one): one is Publication => one.plan === digest);
  const numbers = abandoned.map(({ generation }) => generation);
  const publication = known ?? {
    plan: digest,
    generation: Math.max(...(await listNumbers(service)), ...numbers, pointer.current?.generation ?? 0) + 1,
    segment: randomBytes(4).toString('hex'),
    created: new Date().toISOString(),
    rows: written.length,
    written: 0,
  };
  await record(journal, { publication, abandoned: abandoned.filter((one) => one !== known) });
  return publication;
}

/** Notes that the recorded publication is not going on. */
async function abandonPublication(journal: Journal): Promise<void> {
  const { publication, abandoned } = journal.state;
  if (publication) await record(journal, { publication: undefined, abandoned: [...abandoned, publication] });
}

/** The digest of a plan. @param hashes of the rows to write */
function digestOf(base: number | undefined, version: string, hashes: Uint8Array, plan: Plan): string {
  const digest = createHash('sha256').update(`${base ?? ''} ${version} ${plan.written.length}\n`);
  digest.update(hashes);
  for (const { id, gone } of plan.kept) digest.update(`${id} ${gone.length}\n`).update(gone);
  return digest.digest('hex');
}

/** Checks that a vector index fits a local index. */
function checkVectorIndex(
  { dimension, distanceMetric, dataType, metadataConfiguration }: Index,
  { dimensions, model }: Manifest,
  address: Address,
): void {
  const keys = metadataConfiguration?.nonFilterableMetadataKeys ?? [];
  const problem = [
    dimension !== dimensions &&
      `it has ${dimension} dimensions, but the model ${model.name} has ${dimensions}`,
    distanceMetric !== 'cosine' && `its distance metric is ${distanceMetric} instead of cosine`,
    dataType !== 'float32' && `its data type is ${dataType} instead of float32`,
    !keys.includes('row') && 'row is not among its non-filterable metadata keys',
  ].find(Boolean);
  if (problem)
    throw new Error(
      `The vector index ${formatAddress(address)} does not fit: ${problem}. Deploy the stack with "store": "s3vectors" for this model, or choose another address.`,
    );
}

/** Writes the objects of a new generation, its manifest last. `files` are those of the new segment, if there is one. */
async function writeGenerationObjects(
  service: Service,
  { local, languages }: LocalIndex,
  { kept, order }: Plan,
  { generation, segment, created, rows }: Publication,
  files: FileList | undefined,
  restricted: readonly RestrictedGeneration[],
): Promise<void> {
  const objects = new Map<string, Uint8Array>([
    [OBJECTS.languages, writeSections(LANGUAGES, [new Uint8Array(0), local.typicalVectors])],
    [OBJECTS.overview, local.overview],
    [OBJECTS.order, writeSections(ORDER, [new Uint8Array(order.buffer, order.byteOffset, order.byteLength)])],
  ]);
  const segments = kept.map(({ id, rows, gone, files }): Segment => {
    const { object, ...keys } = writeGone(gone);
    if (object) objects.set(goneObject(id), object);
    return { id, rows, ...keys, files };
  });
  if (files) segments.push({ id: segment, rows, ...writeGone([]), files });
  const { version, model, dimensions, counts, fields, tuning, access } = local.manifest;
  const manifest = writeGeneration({
    generation,
    created,
    version,
    model,
    dimensions,
    counts,
    fields,
    ...(tuning && { tuning }),
    ...(access && { access }),
    languages: [...languages],
    segments,
    ...(restricted.length > 0 && { restricted: [...restricted] }),
    files: Object.fromEntries([...objects].map(([name, bytes]) => [name, describeFile(bytes)])),
  });
  for (const [name, bytes] of [...objects, [OBJECTS.manifest, manifest] as const])
    await service.objects.put(generationObject(generation, name), bytes);
}
