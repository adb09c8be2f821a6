import type { Source } from '../../index/ingest/sources/source.ts';
import type { Remote } from '../deployed/connect.ts';
import type { Bucket } from './bucket.ts';
import type { Builds } from './builds.ts';

/** What a builder works with. */
export interface Setup {
  /** Name of the builder. */
  name: string;
  /** The search function. */
  remote: Remote;
  /** The stack's own bucket. */
  bucket: Bucket;
  builds: Builds;
  /** Address of the documents, for messages. */
  address: string;
  documents: Source;
  /** `bundle`, or the address of an index in S3 Vectors. */
  store: string;
  /** Versions of the search function that are kept. */
  keep: number;
  /** Folder of the search function without an index. Its model embeds the documents. */
  functionFolder: string;
  /** A folder that may be lost, or full of what an earlier invocation left. */
  work: string;
  /** The builder's memory, in MB. */
  memory: number;
  /** Invokes the builder again, without waiting. */
  invokeSelf: (event: { continue: string } | { build: string; cause: 'events' }) => Promise<void>;
  /** Writes an entry to the log. */
  log: (level: 'INFO' | 'ERROR', fields: object) => void;
}
