import { chooseEncoding, chooseWithoutMark } from './encoding/choose.ts';
import { CountingDecoder } from './encoding/decoder.ts';
import { type Notice, Unreadable } from './file.ts';

/** The file that bytes are from. */
interface Origin {
  path: string;
  report: (notice: Notice) => void;
}

/** Finds the name of an encoding in the first bytes of a file, given as Latin-1. */
type Declared = (start: string) => string | undefined;

/** The encoding is chosen by this many bytes: the first ones, or those from the first one that is not ASCII. */
const SAMPLE = 256 * 1024;
/** Declarations are in these first bytes. */
const DECLARATION = 4096;

/** Decodes a file as a whole. Parameters and errors are as for `decodeStream`. */
export async function decode(bytes: Buffer, origin: Origin, declared?: Declared): Promise<string> {
  async function* whole() {
    yield bytes;
  }
  const pieces: string[] = [];
  for await (const piece of decodeStream(whole(), origin, declared)) pieces.push(piece);
  return pieces.join('');
}

/**
 * Decodes a file piece by piece, by its byte order mark, as UTF-8 if it is that, by its declaration, or by its content. Reports an
 * encoding that is guessed, and bytes that are invalid in the encoding. The text does not depend on the pieces.
 * @throws Unreadable for binary data
 */
export async function* decodeStream(
  bytes: AsyncIterable<Uint8Array>,
  { path, report }: Origin,
  declared: Declared = () => undefined,
): AsyncGenerator<string> {
  const guessed = (reason: string, fix: string) => report({ kind: 'guessed', place: path, reason, fix });
  const file = new Lookahead(bytes);
  const start = await file.peek(SAMPLE);
  const label = declared(start.toString('latin1', 0, DECLARATION));
  let encoding = await chooseEncoding(start, label);
  if (!encoding)
    throw new Unreadable(path, 'not text', 'Exclude it, or name it with the extension of its format.');
  if (encoding.name === 'UTF-8' && encoding.skip === 0 && firstHigh(start) < 0) {
    yield* asciiOf(file);
    encoding = await chooseWithoutMark(await file.peek(SAMPLE), label);
  }
  const { name, skip } = encoding;
  if (encoding.guessed) guessed(`encoding guessed: ${name}`, 'If its text is wrong, save it as UTF-8.');
  file.skip(skip);
  const decoder = new CountingDecoder(name);
  for (let chunk = await file.next(); chunk; chunk = await file.next()) yield decoder.write(chunk);
  yield decoder.end();
  const { invalid, firstLine } = decoder;
  if (invalid > 0)
    guessed(
      'broken characters',
      `Save it as UTF-8 (${invalid} not valid in ${name}, the first in line ${firstLine}).`,
    );
}

/** The text of a file up to its first byte that is not ASCII. */
async function* asciiOf(file: Lookahead): AsyncGenerator<string> {
  for (let chunk = await file.next(); chunk; chunk = await file.next()) {
    const high = firstHigh(chunk);
    yield chunk.toString('latin1', 0, high < 0 ? chunk.length : high);
    if (high < 0) continue;
    file.putBack(chunk.subarray(high));
    return;
  }
}

/** The place of the first byte that is not ASCII, or -1. */
function firstHigh(bytes: Buffer): number {
  return bytes.findIndex((byte) => byte > 0x7f);
}

/** A stream whose next bytes can be looked at. */
class Lookahead {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** The next bytes: `length` of them, or fewer at the end. */
  async peek(length: number): Promise<Buffer> {
    const parts = [this.#rest];
    let total = this.#rest.length;
    while (total < length) {
      const { done, value } = await this.#chunks.next();
      if (done) break;
      parts.push(bufferOf(value));
      total += value.length;
    }
    this.#rest = Buffer.concat(parts);
    return this.#rest.subarray(0, length);
  }

  skip(length: number): void {
    this.#rest = this.#rest.subarray(length);
  }

  /** The bytes that were looked at, then those that follow. Undefined at the end. */
  async next(): Promise<Buffer | undefined> {
    if (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      return done ? undefined : bufferOf(value);
    }
    const chunk = this.#rest;
    this.#rest = Buffer.alloc(0);
    return chunk;
  }

  putBack(bytes: Buffer): void {
    this.#rest = bytes;
  }
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
