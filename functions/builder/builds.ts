import { randomBytes } from 'node:crypto';
import { type Metric, withMetrics } from '../../index/aws/metrics.ts';
import type { Bucket } from '../../index/aws/s3.ts';
import type { NoticeGroup } from '../../index/ingest/reading/notices.ts';

const BUILDS = 'builder/builds/';
const SUFFIX = '.json';
/** Increased when older commands and builders would misread a record. */
const FORMAT = 1;
/** Records that are kept. */
const KEPT = 100;
/** Places that a record names, in all. */
const MAX_PLACES = 20;

export type BuildStatus = 'running' | 'continues' | 'succeeded' | 'unchanged' | 'failed';

/** Why a build ran: documents changed, the schedule, a change of the stack, or a person's request. */
export type BuildCause = 'events' | 'schedule' | 'deploy' | 'request';

/** What is known of a build, in the bucket under its id. */
export interface BuildRecord {
  /** Ids sort by time. */
  id: string;
  /** ISO 8601, in UTC. */
  started: string;
  /** When it succeeded or failed. */
  ended?: string;
  /** `continues`: its time was over, and another invocation goes on. `unchanged`: the live index is as it should be. */
  status: BuildStatus;
  /** Why it failed, or what else there is to know: a sentence. */
  reason?: string;
  cause: BuildCause;
  documents?: number;
  passages?: number;
  /** Passages that this build embedded, and those whose embeddings it had. */
  embedded?: number;
  unchanged?: number;
  /** Version of the index. */
  index?: string;
  /** Version of the function that is live, or generation in S3 Vectors. */
  live?: string;
  /** What could not be read, by reason. */
  notices: NoticeGroup[];
}

/** An id for a build that starts now. */
export function newBuildId(now = new Date()): string {
  return `${now.toISOString().replace(/[-:.]/g, '')}-${randomBytes(2).toString('hex')}`;
}

export function isBuildId(text: string): boolean {
  return /^\d{8}T\d{9}Z-[0-9a-f]{4}$/.test(text);
}

/** The records of builds in the stack's bucket. */
export class Builds {
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /** @throws if another version of polyseek wrote the record */
  async read(id: string): Promise<BuildRecord | undefined> {
    const key = BUILDS + id + SUFFIX;
    const found = await this.#bucket.find(key);
    if (!found) return undefined;
    const { format, ...record } = JSON.parse(found.bytes.toString()) as BuildRecord & { format: unknown };
    if (format !== FORMAT) throw otherFormat(key, format, FORMAT);
    return record;
  }

  async write(record: BuildRecord): Promise<void> {
    await this.#bucket.put(BUILDS + record.id + SUFFIX, JSON.stringify({ format: FORMAT, ...record }));
  }

  /** The newest records, newest first. */
  async list(count: number): Promise<BuildRecord[]> {
    const ids = (await this.#ids()).slice(0, count);
    const records = await Promise.all(ids.map((id) => this.read(id)));
    return records.filter((record) => record !== undefined);
  }

  /** Deletes all records but the newest. */
  async prune(): Promise<void> {
    const old = (await this.#ids()).slice(KEPT);
    await this.#bucket.delete(old.map((id) => BUILDS + id + SUFFIX));
  }

  /** The ids of all records, newest first. */
  async #ids(): Promise<string[]> {
    const objects = await this.#bucket.list(BUILDS);
    return objects.map(({ key }) => key.slice(BUILDS.length, -SUFFIX.length)).reverse();
  }
}

/** Notices for a record: all reasons, but few places. */
export function shortened(groups: NoticeGroup[]): NoticeGroup[] {
  let left = MAX_PLACES;
  return groups.map((group) => {
    const places = group.places.slice(0, left);
    left -= places.length;
    return { ...group, places };
  });
}

/**
 * A record for the log, without what could not be read. Its metrics are `BuildFailed` (1 or 0), `BuildSeconds`, and `BuildPassages` of a
 * build that succeeded.
 */
export function logEntryOf(record: BuildRecord, functionName: string, now: Date): object {
  const isFailed = record.status === 'failed';
  const seconds = (now.getTime() - Date.parse(record.started)) / 1000;
  const { passages } = record;
  const metrics: Record<string, Metric> = {
    BuildFailed: { unit: 'Count', value: isFailed ? 1 : 0 },
    BuildSeconds: { unit: 'Seconds', value: seconds },
    ...(!isFailed && passages !== undefined && { BuildPassages: { unit: 'Count', value: passages } }),
  };
  return withMetrics({ ...record, notices: undefined }, functionName, metrics, now.getTime());
}

/** The error for an object of the builder that another version of polyseek wrote. */
export function otherFormat(key: string, found: unknown, format: number): Error {
  return new Error(
    `${key} has format ${found}, but this polyseek reads format ${format}. Use the newest version of polyseek, here and in the deployed stack.`,
  );
}
