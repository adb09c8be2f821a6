import type { MetadataValue } from './document.ts';

/** A file to read, wherever it is: in a folder, in an archive, behind a URL. */
export interface InputFile {
  /** Its name in the index, with `/` between parts. */
  source: string;
  /** Its place as the user knows it, for messages: a path, or a URL. */
  path: string;
  /** The address that opens the document. */
  url?: string;
  /** Where the name tells no format: the end of a file name that does, such as `.html`. */
  extension?: string;
  /** The encoding of its text, if it is known from outside, such as an HTTP header. */
  charset?: string;
  /** Streams its bytes. May be called more than once. */
  open(): AsyncIterable<Uint8Array>;
}

/** Names of the fields of a record. Fields without a name here are metadata. */
export interface FieldNames {
  id?: string;
  title?: string;
  /** Several fields are paragraphs in this order. */
  text?: string | string[];
  url?: string;
  lang?: string;
}

/** Settings for reading the files of a source. */
export interface ReadOptions {
  /** Takes each line of plain text as it is: no headings, no rejoined lines. */
  plain?: boolean;
  /** The language of documents that declare none: a BCP 47 tag. */
  lang?: string;
  /** The fields of records in CSV, JSON, XML and similar files. */
  fields?: FieldNames;
  /** The groups that may read documents which name none. */
  access?: string[];
  /** Metadata of the file's documents from outside of it. Their own fields count first. */
  metadata?: Record<string, MetadataValue>;
}

/**
 * Something to tell about a file: it failed (or a part of it, such as a line), it was skipped on purpose, or a guess was made while
 * reading it.
 */
export interface Notice {
  kind: 'failed' | 'skipped' | 'guessed';
  /** A path, `path:line`, or `archive.zip/path`. */
  place: string;
  /** The same words for each file with this problem, because summaries group by it: `encrypted`. */
  reason: string;
  /** What to do: a sentence. */
  fix?: string;
}

/** A file, or a part of it, that cannot be read. */
export class Unreadable extends Error {
  readonly notice: Notice;

  /** @param reason and `fix` are as in `Notice` */
  constructor(place: string, reason: string, fix: string) {
    super(`${place}: ${reason}. ${fix}`);
    this.notice = { kind: 'failed', place, reason, fix };
  }
}

/**
 * A file that used up a limit of time, memory or size, or ended the program that reads it. It may be good, so a build keeps what the
 * last build read of it.
 */
export class RanOut extends Unreadable {}

/**
 * Maximum depth of records and Markdown. Documents written by people stay below 20 levels. The Markdown parser's time grows with
 * the square of the depth, and recursion over thousands of levels overflows the call stack.
 */
export const MAX_DEPTH = 100;

/** The error for something that nests deeper than `limit`. `place` is a file, or `file:line`. */
export function nestedTooDeep(place: string, limit = MAX_DEPTH): Error {
  return new Unreadable(place, `nested more than ${limit} levels deep`, 'Flatten it and try again.');
}

/** Whether a JSON value nests deeper than `MAX_DEPTH`. Without recursion, since it may be too deep for that. */
export function isTooDeep(value: unknown): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((item) => Object.values(item)).filter(isContainer);
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The error for data that does not match its format. Errors that tell what to do stay as they are. */
export function damaged(path: string, error: unknown): Unreadable {
  if (error instanceof Unreadable) return error;
  const { message } = error instanceof Error ? error : new Error(String(error));
  const why = message.replace(`${path}: `, '').replace(/\.$/, '');
  return new Unreadable(path, 'damaged', `Get it again, or save it again (${why}).`);
}
