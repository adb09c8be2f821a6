import iconv from 'iconv-lite';
import { completeUtf8 } from './utf.ts';

/** Decodes bytes piece by piece. Invalid bytes become U+FFFD. */
export interface PieceDecoder {
  write(bytes: Buffer): string;
  end(): string;
}

/** A decoder that counts the invalid places. */
export class CountingDecoder implements PieceDecoder {
  readonly #decoder: PieceDecoder;
  #lines = 1;
  /** How many places of the file are invalid. */
  invalid = 0;
  /** The line of the first. */
  firstLine: number | undefined;

  /** @param name of an encoding that iconv-lite or `TextDecoder` knows */
  constructor(name: string) {
    this.#decoder = decoderOf(name);
  }

  write(bytes: Buffer): string {
    return this.#count(this.#decoder.write(bytes));
  }

  end(): string {
    return this.#count(this.#decoder.end());
  }

  #count(text: string): string {
    if (this.firstLine === undefined) {
      const first = text.indexOf('\uFFFD');
      this.#lines += occurrences(first < 0 ? text : text.slice(0, first), '\n');
      if (first >= 0) this.firstLine = this.#lines;
    }
    this.invalid += occurrences(text, '\uFFFD');
    return text;
  }
}

function decoderOf(name: string): PieceDecoder {
  if (name === 'UTF-8') return new Utf8Decoder();
  if (name === 'windows-1258') return new ComposingDecoder(iconvDecoder(name));
  if (name !== 'ISO-2022-JP') return iconvDecoder(name);
  const decoder = new TextDecoder(name);
  return { write: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() };
}

function iconvDecoder(name: string): PieceDecoder {
  const decoder = iconv.getDecoder(name);
  return { write: (bytes) => decoder.write(bytes), end: () => decoder.end() ?? '' };
}

/** Decodes UTF-8, with the same replacements for any pieces. */
class Utf8Decoder implements PieceDecoder {
  #rest: Buffer = Buffer.alloc(0);

  write(bytes: Buffer): string {
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    const length = completeUtf8(all);
    this.#rest = all.subarray(length);
    return all.toString('utf8', 0, length);
  }

  end(): string {
    return this.#rest.toString('utf8');
  }
}

/** Composes letters and the marks after them. The last letter of a piece waits for its marks. */
class ComposingDecoder implements PieceDecoder {
  readonly #decoder: PieceDecoder;
  #rest = '';

  constructor(decoder: PieceDecoder) {
    this.#decoder = decoder;
  }

  write(bytes: Buffer): string {
    const text = this.#rest + this.#decoder.write(bytes);
    let end = text.length - 1;
    while (end > 0 && /\p{M}/u.test(text[end]!)) end--;
    this.#rest = text.slice(Math.max(end, 0));
    return text.slice(0, Math.max(end, 0)).normalize('NFC');
  }

  end(): string {
    return (this.#rest + this.#decoder.end()).normalize('NFC');
  }
}

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) count++;
  return count;
}
