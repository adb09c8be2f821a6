import { createHash, randomBytes } from 'node:crypto';
import type { Index } from '@aws-sdk/client-s3vectors';
import { describeFile, type FileList } from '../../../format/checks.ts';
import { writeSections } from '../../../format/container.ts';
import { readFolder } from '../../../format/drafts.ts';
import { LANGUAGES } from '../../../format/languages-file.ts';
import type { Manifest } from '../../../format/manifest.ts';
import { type Address, formatAddress } from '../address.ts';
import { type Generation, type Segment, writeGeneration, writeGone } from '../generation.ts';
import { generationObject, goneObject, HASH_BYTES, OBJECTS, ORDER, segmentObject } from '../objects.ts';
import { encodeRow } from '../row.ts';
import {
  listNumbers,
  movePointer,
  type Pointer,
  readGoneOf,
  readManifestOf,
  readObjectOf,
  readPointer,
  settle,
} from './generation-writer.ts';
import { type HoldOptions, Journal, type Publication, readWork } from './journal.ts';
import { LocalRows } from './local-rows.ts';
import { hashOf, type Plan, type PublishedSegment, planPublication, readHashes } from './plan.ts';
import { DEFAULT_KEEP, deleteWaste, type Pruned } from './prune.ts';
import { Service, type TransferOptions } from './service.ts';
import { filterableOf, uploadSegment } from './upload.ts';

export interface PublishOptions extends TransferOptions, HoldOptions {
  /** Generations to keep, with the new one. Default: 2. */
  keep?: number;
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
export async function publish(
  folder: string,
  address: Address,
  options: PublishOptions = {},
): Promise<Published> {
  const service = new Service(address, options);
  let local: LocalRows | undefined;
  try {
    local = await readFolder(
      folder,
      (found) => new LocalRows(found),
      (rows) => rows.close(),
    );
    checkVectorIndex(await service.describeIndex(), local.manifest, address);
    const current = await findUnchanged(service, local.manifest, options);
    if (current !== undefined) return unchanged(service, local.manifest, current);
    const hashes = await hashRows(local, options);
    const parts = { service, local, hashes, options };
    return await Journal.hold(service, options, (journal) => run({ ...parts, journal }));
  } finally {
    local?.close();
    service.close();
  }
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
  const manifest = await readManifestOf(service, current.generation);
  return manifest.version === version ? current.generation : undefined;
}

function unchanged(
  { address, bytesSent }: Service,
  { version, counts: { passages } }: Manifest,
  generation: number,
  pruned?: Pruned,
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
    ...(pruned && { pruned }),
  };
}

/**
 * The hashes of all rows, one after the other.
 * @throws if the fields of a passage are too large
 */
async function hashRows(
  local: LocalRows,
  { progress = () => {}, signal }: PublishOptions,
): Promise<Uint8Array> {
  const hashes = new Uint8Array(local.count * HASH_BYTES);
  for (let ordinal = 0; ordinal < local.count; ordinal++) {
    // Signals and timers run in between.
    if (ordinal % 1000 === 0) await new Promise(setImmediate);
    signal?.throwIfAborted();
    const row = local.row(ordinal);
    filterableOf(row.passage);
    hashes.set(hashOf(encodeRow(row)), ordinal * HASH_BYTES);
    progress({ phase: 'comparing', unit: 'passages', done: ordinal + 1, total: local.count });
  }
  return hashes;
}

async function run(context: Context): Promise<Published> {
  const { service, journal, local, hashes, options } = context;
  const { keep = DEFAULT_KEEP, rewrite = false } = options;
  const { manifest } = local;
  const pointer = await settle(service, journal, rewrite);
  const base =
    pointer.current && !rewrite ? await readManifestOf(service, pointer.current.generation) : undefined;
  if (base?.version === manifest.version) {
    await abandonPublication(journal);
    let current = pointer.current!;
    // After this, no abandoned publication can become current any more.
    if (journal.work.abandoned.length > 0) current = await movePointer(service, pointer, base.generation);
    const pruned = await deleteWaste(service, journal, current, keep);
    return unchanged(service, manifest, base.generation, pruned);
  }
  const plan = planPublication(hashes, base ? await readSegments(service, base, manifest) : []);
  const publication = await begin(context, pointer, plan);
  options.signal?.throwIfAborted();
  const files = await uploadSegment(service, journal, local, plan.written, publication, options);
  await writeGenerationObjects(service, local, plan, publication, files);
  options.signal?.throwIfAborted();
  const current = await movePointer(service, pointer, publication.generation);
  await journal.record({ publication: undefined });
  const pruned = await deleteWaste(service, journal, current, keep);
  return {
    status: 'published',
    address: formatAddress(service.address),
    generation: publication.generation,
    version: manifest.version,
    passages: local.count,
    uploaded: plan.written.length,
    kept: local.count - plan.written.length,
    removed: base ? base.counts.passages - (local.count - plan.written.length + plan.moved) : 0,
    bytes: service.bytesSent,
    pruned,
  };
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
  const segments: PublishedSegment[] = [];
  for (const segment of base.segments) {
    const { id, rows, files } = segment;
    const key = segmentObject(id, OBJECTS.hashes);
    const bytes = await readObjectOf(service, key, files[OBJECTS.hashes]!);
    const hashes = readHashes(bytes, rows, service.nameOf(key));
    const gone = await readGoneOf(service, base, segment);
    segments.push({ id, rows, gone, hashes, files });
  }
  return segments;
}

/** Records a publication, or continues the one that is recorded if it has the same plan. */
async function begin(
  { service, journal, local, hashes }: Context,
  { current }: Pointer,
  plan: Plan,
): Promise<Publication> {
  const digest = digestOfPlan(current?.generation, local.manifest.version, hashes, plan);
  const unfinished = journal.work.publication;
  if (unfinished?.plan === digest) return unfinished;
  await abandonPublication(journal);
  const numbers = [
    ...(await listNumbers(service)),
    ...journal.work.abandoned.map(({ generation }) => generation),
    current?.generation ?? 0,
  ];
  const publication: Publication = {
    plan: digest,
    generation: Math.max(...numbers) + 1,
    segment: randomBytes(4).toString('hex'),
    created: new Date().toISOString(),
    rows: plan.written.length,
    written: 0,
  };
  await journal.record({ publication });
  return publication;
}

/** Notes that nobody will continue the recorded publication. */
async function abandonPublication(journal: Journal): Promise<void> {
  const { publication, abandoned } = journal.work;
  if (!publication) return;
  const { generation, segment, rows, written } = publication;
  const all = [...abandoned, { generation, segment, rows, written }];
  await journal.record({ publication: undefined, abandoned: all });
}

function digestOfPlan(
  base: number | undefined,
  version: string,
  hashes: Uint8Array,
  { kept, written }: Plan,
): string {
  const digest = createHash('sha256').update(`${base ?? ''} ${version} ${written.length}\n`);
  for (const ordinal of written)
    digest.update(hashes.subarray(ordinal * HASH_BYTES, (ordinal + 1) * HASH_BYTES));
  for (const { id, gone } of kept) digest.update(`${id} ${gone.length}\n`).update(gone);
  return digest.digest('hex');
}

/**
 * Checks that a vector index fits a local index.
 * @throws with both values of the first difference
 */
export function checkVectorIndex(
  { dimension, distanceMetric, dataType, metadataConfiguration }: Index,
  { dimensions, model }: Manifest,
  address: Address,
): void {
  const keys = metadataConfiguration?.nonFilterableMetadataKeys ?? [];
  const problem =
    dimension !== dimensions
      ? `it has ${dimension} dimensions, but the model ${model.name} has ${dimensions}`
      : distanceMetric !== 'cosine'
        ? `its distance metric is ${distanceMetric} instead of cosine`
        : dataType !== 'float32'
          ? `its data type is ${dataType} instead of float32`
          : !keys.includes('row')
            ? 'row is not among its non-filterable metadata keys'
            : undefined;
  if (problem)
    throw new Error(
      `The vector index ${formatAddress(address)} does not fit: ${problem}. Deploy the stack with "store": "s3vectors" for this model, or choose another address.`,
    );
}

/**
 * Writes the objects of a new generation, its manifest last.
 * @param files of the new segment, if there is one
 */
export async function writeGenerationObjects(
  service: Service,
  local: LocalRows,
  { kept, order }: Plan,
  { generation, segment, created, rows }: Publication,
  files: FileList | undefined,
): Promise<void> {
  const objects = new Map<string, Uint8Array>([
    [OBJECTS.languages, writeSections(LANGUAGES, [new Uint8Array(0), local.typicalVectors()])],
    [OBJECTS.overview, local.overview()],
    [OBJECTS.order, writeSections(ORDER, [new Uint8Array(order.buffer, order.byteOffset, order.byteLength)])],
  ]);
  const segments = kept.map(({ id, rows, gone, files }): Segment => {
    const { object, ...keys } = writeGone(gone);
    if (object) objects.set(goneObject(id), object);
    return { id, rows, ...keys, files };
  });
  if (files) segments.push({ id: segment, rows, ...writeGone([]), files });
  const { version, model, dimensions, counts, fields } = local.manifest;
  const manifest = writeGeneration({
    generation,
    created,
    version,
    model,
    dimensions,
    counts,
    fields,
    languages: local.languages(),
    segments,
    files: Object.fromEntries([...objects].map(([name, bytes]) => [name, describeFile(bytes)])),
  });
  for (const [name, bytes] of [...objects, [OBJECTS.manifest, manifest] as const])
    await service.objects.put(generationObject(generation, name), bytes);
}
