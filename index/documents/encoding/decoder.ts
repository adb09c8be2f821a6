import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { completeUtf8 } from './utf.ts';

/** Decodes bytes piece by piece. Invalid bytes become U+FFFD. */
interface PieceDecoder {
  write(bytes: Buffer): string;
  end(): string;
  /** The last piece with U+FFFD for invalid bytes only, if it may contain others. */
  readonly onlyInvalid?: string;
}

/** The bytes of U+FFFD in UTF-8, as Latin-1. */
const REPLACEMENT = '\xef\xbf\xbd';

/** A decoder that counts the invalid places. */
export class CountingDecoder {
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
    return this.#counted(this.#decoder.write(bytes));
  }

  end(): string {
    return this.#counted(this.#decoder.end());
  }

  #counted(decoded: string): string {
    const text = this.#decoder.onlyInvalid ?? decoded;
    if (this.firstLine === undefined) {
      const first = text.indexOf('\uFFFD');
      this.#lines += occurrences(first < 0 ? text : text.slice(0, first), '\n');
      if (first >= 0) this.firstLine = this.#lines;
    }
    this.invalid += occurrences(text, '\uFFFD');
    return decoded;
  }
}

function decoderOf(name: string): PieceDecoder {
  if (name === 'UTF-8') return new Utf8Decoder();
  if (name === 'windows-1258') return composing(iconvDecoder(name));
  if (name !== 'ISO-2022-JP') return iconvDecoder(name);
  const decoder = new TextDecoder(name);
  return { write: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() };
}

/** A decoder of iconv-lite. Halves of surrogate pairs, which it takes from UTF-16 and UTF-7 as they are, become U+FFFD. */
function iconvDecoder(name: string): PieceDecoder {
  const decoder = iconv.getDecoder(name);
  let rest = '';
  return {
    write(bytes) {
      const text = rest + decoder.write(bytes);
      // The second half may be in the next piece.
      rest = /[\ud800-\udbff]/.test(text.at(-1) ?? '') ? text.slice(-1) : '';
      return text.slice(0, text.length - rest.length).toWellFormed();
    },
    end: () => (rest + (decoder.end() ?? '')).toWellFormed(),
  };
}

/** Decodes UTF-8, with the same replacements for any pieces. */
class Utf8Decoder implements PieceDecoder {
  #rest: Buffer = Buffer.alloc(0);
  onlyInvalid = '';

  write(bytes: Buffer): string {
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    const length = completeUtf8(all);
    this.#rest = all.subarray(length);
    return this.#decode(all.subarray(0, length));
  }

  end(): string {
    return this.#decode(this.#rest);
  }

  #decode(bytes: Buffer): string {
    const text = bytes.toString('utf8');
    this.onlyInvalid = text;
    if (text.includes('\uFFFD'))
      this.onlyInvalid = isUtf8(bytes)
        ? text.replaceAll('\uFFFD', ' ')
        : Buffer.from(bytes.toString('latin1').replaceAll(REPLACEMENT, '   '), 'latin1').toString('utf8');
    return text;
  }
}

/** Composes letters and the marks after them. The last letter of a piece waits for its marks. */
function composing(decoder: PieceDecoder): PieceDecoder {
  let rest = '';
  return {
    write(bytes) {
      const text = rest + decoder.write(bytes);
      let end = Math.max(text.length - 1, 0);
      while (end > 0 && /\p{M}/u.test(text[end]!)) end--;
      rest = text.slice(end);
      return text.slice(0, end).normalize('NFC');
    },
    end: () => (rest + decoder.end()).normalize('NFC'),
  };
}

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) count++;
  return count;
}
