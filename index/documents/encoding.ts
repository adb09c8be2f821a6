import { isUtf8 } from 'node:buffer';
import { chooseEncoding, chooseWithoutMark, type Encoding } from './encoding/choose.ts';
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

/**
 * Decodes a file, by its byte order mark, as UTF-8 if it is that, by its declaration, or by its content. Reports an encoding that is
 * guessed, and bytes that are invalid in the encoding.
 * @throws Unreadable for binary data
 */
export function decode(bytes: Buffer, origin: Origin, declared?: Declared): string {
  const decoder = new FileDecoder(origin, declared);
  return decoder.push(bytes) + decoder.end();
}

/** Does the same piece by piece. The pieces together are the same text. */
export async function* decodeStream(
  bytes: AsyncIterable<Uint8Array>,
  origin: Origin,
  declared?: Declared,
): AsyncGenerator<string> {
  const decoder = new FileDecoder(origin, declared);
  for await (const { buffer, byteOffset, byteLength } of bytes) {
    const text = decoder.push(Buffer.from(buffer, byteOffset, byteLength));
    if (text !== '') yield text;
  }
  const text = decoder.end();
  if (text !== '') yield text;
}

class FileDecoder {
  readonly #origin: Origin;
  readonly #declared: Declared;
  #label: string | undefined;
  #decoder: CountingDecoder | undefined;
  #encoding = '';
  /** Bytes of which the encoding is not chosen yet. */
  #waiting: Buffer[] = [];
  #length = 0;
  /** What the waiting bytes are: the start, more ASCII characters, or the sample from the first other byte on. */
  #state: 'start' | 'ascii' | 'other' = 'start';

  constructor(origin: Origin, declared: Declared = () => undefined) {
    this.#origin = origin;
    this.#declared = declared;
  }

  push(bytes: Buffer): string {
    if (this.#decoder) return this.#decoder.write(bytes);
    this.#waiting.push(bytes);
    this.#length += bytes.length;
    return this.#state === 'ascii' || this.#length > SAMPLE ? this.#choose(false) : '';
  }

  end(): string {
    const text = this.#choose(true) + (this.#decoder?.end() ?? '');
    const { invalid = 0, firstLine } = this.#decoder ?? {};
    if (invalid > 0)
      this.#report(
        'broken characters',
        `Save it as UTF-8 (${invalid} not valid in ${this.#encoding}, the first in line ${firstLine}).`,
      );
    return text;
  }

  /** Chooses the encoding if enough bytes are waiting, and decodes them. */
  #choose(isEnd: boolean): string {
    if (this.#decoder) return '';
    const bytes = Buffer.concat(this.#waiting);
    const sample = bytes.subarray(0, SAMPLE);
    if (this.#state === 'start') {
      this.#label = this.#declared(sample.toString('latin1', 0, DECLARATION));
      const encoding = chooseEncoding(sample, this.#label);
      if (!encoding)
        throw new Unreadable(
          this.#origin.path,
          'not text',
          'Exclude it, or name it with the extension of its format.',
        );
      if (isEnd || encoding.name !== 'UTF-8' || encoding.skip > 0 || firstHigh(sample) >= 0)
        return this.#use(encoding, bytes);
      this.#state = 'ascii';
    }
    const high = this.#state === 'ascii' ? firstHigh(bytes) : 0;
    if (high >= 0) this.#state = 'other';
    const rest = bytes.subarray(high < 0 ? bytes.length : high);
    const text = bytes.toString('latin1', 0, bytes.length - rest.length);
    this.#waiting = [rest];
    this.#length = rest.length;
    if (!isEnd && rest.length <= SAMPLE) return text;
    return text + this.#use(chooseWithoutMark(rest.subarray(0, SAMPLE), this.#label), rest);
  }

  #use({ name, skip, guessed }: Encoding, bytes: Buffer): string {
    this.#waiting = [];
    this.#encoding = name;
    this.#decoder = new CountingDecoder(name);
    if (guessed) this.#report(`encoding guessed: ${name}`, 'If its text is wrong, save it as UTF-8.');
    return this.#decoder.write(bytes.subarray(skip));
  }

  #report(reason: string, fix: string): void {
    this.#origin.report({ kind: 'guessed', place: this.#origin.path, reason, fix });
  }
}

/** The place of the first byte that is not ASCII, or -1. */
function firstHigh(bytes: Buffer): number {
  return bytes.findIndex((byte) => byte > 0x7f);
}

/**
 * Decodes UTF-8 bytes, without a byte order mark at their start.
 * @param place of the bytes, for the error: a file, or `file:line`
 * @param offset of the bytes in their file
 * @throws naming the first byte that is not UTF-8
 */
export function decodeUtf8(bytes: Buffer, place: string, offset = 0): string {
  const text = bytes.toString('utf8');
  if (!isUtf8(bytes)) {
    const at = offset + firstInvalid(bytes, Buffer.from(text));
    throw new Error(`${place}: not UTF-8 at byte ${at} of the file. Save it as UTF-8.`);
  }
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Decoding replaced invalid bytes by U+FFFD, so the first difference is inside the first invalid sequence. */
function firstInvalid(bytes: Buffer, decoded: Buffer): number {
  let at = 0;
  while (at < bytes.length && bytes[at] === decoded[at]) at++;
  while (at > 0 && (decoded[at]! & 0xc0) === 0x80) at--;
  return at;
}
