import { createHash, randomBytes } from 'node:crypto';
import type { Index } from '@aws-sdk/client-s3vectors';
import { describeFile, type FileList } from '../../../format/checks.ts';
import { writeSections } from '../../../format/container.ts';
import { readFolder } from '../../../format/drafts.ts';
import { LANGUAGES } from '../../../format/languages-file.ts';
import type { Manifest } from '../../../format/manifest.ts';
import { type Address, formatAddress } from '../address.ts';
import {
  type Generation,
  loadGeneration,
  loadSegments,
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
import { listNumbers, movePointer, readPointer, settle } from './pointer.ts';
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

/** The parts of a publication that runs. */
interface Context {
  service: Service;
  journal: Journal;
  local: LocalRows;
  /** Of the rows of the local index, one after the other. */
  hashes: Uint8Array;
  /** The languages in order of first appearance, and their passages. */
  languages: Map<string, number>;
  options: PublishOptions;
}

/**
 * Publishes a local index folder: uploads the passages that changed as a new segment, and makes the new generation current. Until
 * everything is there, searches see the generation before. Afterwards deletes old generations. After any failure, the next call
 * continues with the first batch that is not written.
 * @param options its `signal` ends the publication after the batches that run
 * @throws before uploading if the index is damaged, a bucket or index is missing, the fields of a passage are too large, or another
 *   process publishes; if another process made a generation current meanwhile; the reason of `signal`
 */
export function publish(folder: string, address: Address, options: PublishOptions = {}): Promise<Published> {
  return withService(address, options, async (service) => {
    const local = await readFolder(
      folder,
      (found) => new LocalRows(found),
      (rows) => rows.close(),
    );
    try {
      checkVectorIndex(await service.describeIndex(), local.manifest, address);
      const current = await findUnchanged(service, local.manifest, options);
      if (current !== undefined) return resultOf(service, local.manifest, current);
      const rows = await readRows(local, options);
      return await withJournal(service, options, (journal) =>
        run({ service, journal, local, ...rows, options }),
      );
    } finally {
      local.close();
    }
  });
}

/** The number of the current generation if it equals the local index, and nothing is unfinished. */
async function findUnchanged(
  service: Service,
  { version }: Manifest,
  { rewrite }: PublishOptions,
): Promise<number | undefined> {
  if (rewrite) return undefined;
  const { current } = await readPointer(service);
  const { publication, abandoned, removing } = await readWork(service);
  if (!current || publication || abandoned.length + removing.length > 0) return undefined;
  const manifest = await loadGeneration(service, current.generation);
  return manifest.version === version ? current.generation : undefined;
}

/** The result of a publication, by default of one without changes. */
function resultOf(
  { address, bytesSent }: Service,
  { version, counts: { passages } }: Manifest,
  generation: number,
  changes: Partial<Published> = {},
): Published {
  return {
    status: 'unchanged',
    address: formatAddress(address),
    generation,
    version,
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
): Promise<Pick<Context, 'hashes' | 'languages'>> {
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
  return { hashes, languages };
}

async function run(context: Context): Promise<Published> {
  const { service, journal, local, hashes, options } = context;
  const { manifest } = local;
  const { rewrite = false } = options;
  const pointer = await settle(service, journal, rewrite);
  const base =
    pointer.current && !rewrite ? await loadGeneration(service, pointer.current.generation) : undefined;
  if (base?.version === manifest.version) {
    await abandonPublication(journal);
    let current = pointer.current!;
    // After this, no abandoned publication can become current any more.
    if (journal.state.abandoned.length > 0) current = await movePointer(service, pointer, base.generation);
    const pruned = await deleteWaste(service, journal, current, DEFAULT_KEEP);
    return resultOf(service, manifest, base.generation, { pruned });
  }
  const plan = planPublication(hashes, base ? await readSegments(service, base, manifest) : []);
  const written = Buffer.concat(Array.from(plan.written, (ordinal) => hashAt(hashes, ordinal)));
  const digest = digestOf(pointer.current?.generation, manifest.version, written, plan);
  const publication = await begin(context, digest, plan, pointer.current?.generation);
  options.signal?.throwIfAborted();
  const files = await uploadSegment(service, journal, local, plan.written, written, publication, options);
  await writeGenerationObjects(context, plan, publication, files);
  options.signal?.throwIfAborted();
  const current = await movePointer(service, pointer, publication.generation);
  await record(journal, { publication: undefined });
  const pruned = await deleteWaste(service, journal, current, DEFAULT_KEEP);
  const uploaded = plan.written.length;
  const kept = local.count - uploaded;
  return resultOf(service, manifest, publication.generation, {
    status: 'published',
    uploaded,
    kept,
    removed: base ? base.counts.passages - (kept + plan.moved) : 0,
    pruned,
  });
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

/** Records a publication, or continues the one that is recorded if it has the same plan. */
async function begin(
  { service, journal }: Context,
  digest: string,
  { written }: Plan,
  current = 0,
): Promise<Publication> {
  const unfinished = journal.state.publication;
  if (unfinished?.plan === digest) return unfinished;
  await abandonPublication(journal);
  const abandoned = journal.state.abandoned.map(({ generation }) => generation);
  const publication: Publication = {
    plan: digest,
    generation: Math.max(...(await listNumbers(service)), ...abandoned, current) + 1,
    segment: randomBytes(4).toString('hex'),
    created: new Date().toISOString(),
    rows: written.length,
    written: 0,
  };
  await record(journal, { publication });
  return publication;
}

/** Notes that nobody will continue the recorded publication. */
async function abandonPublication(journal: Journal): Promise<void> {
  const { publication, abandoned } = journal.state;
  if (!publication) return;
  const { generation, segment, rows, written } = publication;
  const all = [...abandoned, { generation, segment, rows, written }];
  await record(journal, { publication: undefined, abandoned: all });
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
  { service, local, languages }: Context,
  { kept, order }: Plan,
  { generation, segment, created, rows }: Publication,
  files: FileList | undefined,
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
  const { version, model, dimensions, counts, fields, tuning } = local.manifest;
  const manifest = writeGeneration({
    generation,
    created,
    version,
    model,
    dimensions,
    counts,
    fields,
    ...(tuning && { tuning }),
    languages: [...languages],
    segments,
    files: Object.fromEntries([...objects].map(([name, bytes]) => [name, describeFile(bytes)])),
  });
  for (const [name, bytes] of [...objects, [OBJECTS.manifest, manifest] as const])
    await service.objects.put(generationObject(generation, name), bytes);
}
