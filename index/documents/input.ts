import { Inflation } from './archive/inflation.ts';
import type { Document } from './document.ts';
import { decode, decodeStream } from './encoding.ts';
import { type InputFile, type Notice, type ReadOptions, Unreadable } from './file.ts';

/** Reads a file of one format. Reports problems of a part with `input.report`, and throws if the file cannot be read. */
export type Reader = (input: Input) => AsyncIterable<Document>;

/** The largest file that a reader may hold in memory. Formats that stream have no limit. */
const MAX_BYTES = 256 * 2 ** 20;

/** What reading a file needs beside the file. */
export interface ReadContext {
  options: ReadOptions;
  report: (notice: Notice) => void;
  /** How many archives the file is in. */
  depth: number;
  /** Counts what the outermost file contains. */
  inflation?: Inflation;
  /** Reads a file inside this one, by its own format. */
  readNested: (file: InputFile, context: ReadContext) => AsyncIterable<Document>;
}

/** A file, as its reader gets it. */
export class Input {
  readonly source: string;
  readonly path: string;
  readonly url: string | undefined;
  /** The encoding of its text, if it is known from outside. */
  readonly charset: string | undefined;
  readonly options: ReadOptions;
  /** How many archives the file is in. */
  readonly depth: number;
  /** Counts what the outermost file around the file contains. */
  readonly inflation: Inflation;
  readonly report: (notice: Notice) => void;
  /** Streams the bytes. */
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly #context: ReadContext;

  constructor({ source, path, url, charset, open }: InputFile, context: ReadContext) {
    this.source = source;
    this.path = path;
    this.url = url;
    this.charset = charset;
    this.options = context.options;
    this.depth = context.depth;
    this.inflation = context.inflation ?? new Inflation();
    this.open = context.depth === 0 ? () => this.inflation.outermost(open()) : open;
    this.report = context.report;
    this.#context = context;
  }

  /**
   * The whole content.
   * @throws Unreadable if the file is too large to hold in memory
   */
  async bytes(limit = MAX_BYTES): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this.open()) {
      length += chunk.length;
      if (length > limit)
        throw this.failure('too large', `Split it into files of at most ${Math.floor(limit / 2 ** 20)} MiB.`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /**
   * The whole content as text, decoded as its byte order mark, its `charset`, its declaration or its content says.
   * @param declared finds the name of an encoding in the first bytes, given as Latin-1
   */
  async text(declared?: (start: string) => string | undefined): Promise<string> {
    return decode(await this.bytes(), this, this.#encoding(declared));
  }

  /** The content as text, in pieces of any length. `declared` is as for `text`. */
  chunks(declared?: (start: string) => string | undefined): AsyncIterable<string> {
    return decodeStream(this.open(), this, this.#encoding(declared));
  }

  #encoding(declared?: (start: string) => string | undefined) {
    return this.charset === undefined ? declared : () => this.charset;
  }

  /** The error for this file, or for a place in it such as a line. `reason` and `fix` are as in `Notice`. */
  failure(reason: string, fix: string, place = this.path): Unreadable {
    return new Unreadable(place, reason, fix);
  }

  /** Reads a file inside this one, such as an entry of an archive, by its own format. A bad one is reported and skipped. */
  nested(file: InputFile): AsyncIterable<Document> {
    return this.#context.readNested(file, {
      ...this.#context,
      depth: this.depth + 1,
      inflation: this.inflation,
    });
  }
}
