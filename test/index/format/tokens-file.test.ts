import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSections } from '../../../index/format/container.ts';
import {
  readTokenCodebook,
  TOKEN_CODES,
  TOKENS,
  type TokenCodebook,
  Tokens,
  writeTokenCodebook,
} from '../../../index/format/tokens-file.ts';
import { tokensFile } from '../../fixtures/files.ts';
import { gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';
import { runs } from '../../fixtures/runs.ts';

const folder = temporaryFolder();

describe('token-codes.bin', () => {
  const path = join(folder, 'token-codes.bin');

  function randomCodebook(dimensions: number, seed: number): TokenCodebook {
    const random = randomNumbers(seed);
    const [query, passage] = [gaussian(dimensions, random), gaussian(dimensions, random)];
    return { centers: { query, passage }, codewords: gaussian(16 * dimensions, random) };
  }

  test('returns the numbers that were written', () => {
    fc.assert(
      fc.property(fc.constantFrom(4, 16, 64, 384), fc.nat(), (dimensions, seed) => {
        const codebook = randomCodebook(dimensions, seed);
        writeFileSync(path, writeTokenCodebook(codebook));
        expect(readTokenCodebook(path, dimensions)).toEqual(codebook);
      }),
    );
  });

  test('has the sections of FORMAT.md', () => {
    const { centers, codewords } = randomCodebook(16, 1);
    const sections = readSections(writeTokenCodebook({ centers, codewords }), TOKEN_CODES, path);
    const expected = [centers.query, centers.passage, codewords];
    expect(sections.map((section) => new Float32Array(section.slice().buffer))).toEqual(expected);
  });

  describe('a damaged file is refused', () => {
    test.each([12, 20, 768])('with other dimensions: %i', (dimensions) => {
      writeFileSync(path, writeTokenCodebook(randomCodebook(16, 1)));
      expect(() => readTokenCodebook(path, dimensions)).toThrow(
        `${path} is damaged: its sections have 16, 16, 256 numbers, but the model has ${dimensions} dimensions. Run npx polyseek index again.`,
      );
    });

    test.each<[string, (codebook: TokenCodebook) => TokenCodebook]>([
      [
        'another center of questions',
        ({ centers, ...rest }) => ({ ...rest, centers: { ...centers, query: new Float32Array(15) } }),
      ],
      [
        'another center of passages',
        ({ centers, ...rest }) => ({ ...rest, centers: { ...centers, passage: new Float32Array(0) } }),
      ],
      ['too few codewords', ({ centers, codewords }) => ({ centers, codewords: codewords.slice(4) })],
      ['too many codewords', ({ centers }) => ({ centers, codewords: new Float32Array(260) })],
    ])('with %s', (_, change) => {
      writeFileSync(path, writeTokenCodebook(change(randomCodebook(16, 1))));
      expect(() => readTokenCodebook(path, 16)).toThrow(
        /token-codes\.bin is damaged: its sections have .+\. Run npx polyseek index again\.$/,
      );
    });

    test('with a section of a fractional number of floats', () => {
      const bytes = writeTokenCodebook(randomCodebook(16, 1));
      const view = new DataView(bytes.buffer);
      // Section 0 has 63 bytes, and the same place.
      view.setFloat64(24, 63, true);
      writeFileSync(path, bytes);
      expect(() => readTokenCodebook(path, 16)).toThrow(
        /token-codes\.bin is damaged: .+ Run npx polyseek index again\.$/,
      );
    });

    test('if it is cut at any byte, or has any bit of its head flipped', () => {
      const bytes = writeTokenCodebook(randomCodebook(16, 1));
      fc.assert(
        fc.property(fc.nat(bytes.length - 1), (length) => {
          writeFileSync(path, bytes);
          truncateSync(path, length);
          expect(() => readTokenCodebook(path, 16)).toThrow(
            /token-codes\.bin is damaged: it has \d+ bytes, but its head/,
          );
        }),
      );
      fc.assert(
        fc.property(fc.nat(63), fc.nat(7), (at, bit) => {
          const copy = bytes.slice();
          copy[at]! ^= 1 << bit;
          writeFileSync(path, copy);
          expect(() => readTokenCodebook(path, 16)).toThrow(
            /token-codes\.bin (is damaged: |has version ).+ Run npx polyseek index again\.$/,
          );
        }),
      );
    });
  });
});

describe('tokens.bin', () => {
  const path = join(folder, 'tokens.bin');

  /** Random codes of passages with these numbers of tokens. */
  function randomCodes(counts: readonly number[], parts: number, seed: number): Uint8Array[] {
    const random = randomNumbers(seed);
    return counts.map((count) => Uint8Array.from({ length: count * parts }, () => Math.floor(random() * 16)));
  }

  /** Decodes the blocks of one passage, code by code, as FORMAT.md describes. */
  function decoded(blocks: Uint8Array, count: number, parts: number): number[] {
    return Array.from({ length: count * parts }, (_, at) => {
      const [token, part] = [Math.floor(at / parts), at % parts];
      const byte = blocks[Math.floor(token / 16) * 8 * parts + Math.floor(part / 2) * 16 + (token % 16)]!;
      return part % 2 === 0 ? byte % 16 : Math.floor(byte / 16);
    });
  }

  const anyContents = fc.record({
    parts: fc.constantFrom(2, 4, 24, 96),
    counts: fc.array(fc.oneof(fc.constantFrom(0, 1, 15, 16, 17), fc.nat(100)), { maxLength: 20 }),
    seed: fc.nat(),
  });

  test('returns the codes of any passages, in any order', () => {
    fc.assert(
      fc.property(anyContents, fc.array(fc.nat()), ({ parts, counts, seed }, places) => {
        const written = randomCodes(counts, parts, seed);
        writeFileSync(path, tokensFile(written, parts));
        const file = new Tokens(path, parts, counts.length);
        const wanted = counts.length === 0 ? [] : places.map((place) => place % counts.length);
        const read = file.read(wanted);
        file.close();
        expect([...read.counts]).toEqual(wanted.map((passage) => counts[passage]));
        let at = 0;
        for (const passage of wanted) {
          const size = Math.ceil(counts[passage]! / 16) * 8 * parts;
          const blocks = read.codes.subarray(at, at + size);
          expect(decoded(blocks, counts[passage]!, parts)).toEqual([...written[passage]!]);
          at += size;
        }
        expect(read.codes).toHaveLength(at);
      }),
    );
  });

  test('a file of more than a megabyte, which is read in parts, returns the same codes', () => {
    const [parts, counts] = [96, Array.from({ length: 500 }, (_, i) => i % 100)];
    const written = randomCodes(counts, parts, 1);
    const bytes = tokensFile(written, parts);
    expect(bytes.length).toBeGreaterThan(1 << 20);
    writeFileSync(path, bytes);
    const file = new Tokens(path, parts, counts.length);
    for (const passage of [499, 0, 1, 17, 150]) {
      const { codes } = file.read([passage]);
      expect(decoded(codes, counts[passage]!, parts)).toEqual([...written[passage]!]);
    }
    file.close();
  });

  test('has the sections of FORMAT.md', () => {
    const [firsts, counts, blocks] = readSections(
      tokensFile(randomCodes([16, 0, 17], 4, 1), 4),
      TOKENS,
      path,
    );
    expect([...new Uint32Array(firsts!.slice().buffer)]).toEqual([0, 1, 1, 3]);
    expect([...new Uint16Array(counts!.slice().buffer)]).toEqual([16, 0, 17]);
    expect(blocks).toHaveLength(3 * 16 * 2);
    // Zeros fill the last block: 15 places of each of its two pairs of parts.
    for (const pair of [0, 1])
      expect([...blocks!.subarray(64 + 16 * pair + 1, 80 + 16 * pair)]).toEqual(Array(15).fill(0));
  });

  describe('a damaged file is refused', () => {
    const COUNTS = [16, 3, 40];

    /** Writes three passages, and changes a section. Returns a function that reads all. */
    const damage = (section: number, change: (bytes: Buffer) => void) => {
      const bytes = tokensFile(randomCodes(COUNTS, 4, 1), 4);
      const { buffer, byteOffset, length } = readSections(bytes, TOKENS, path)[section]!;
      change(Buffer.from(buffer, byteOffset, length));
      writeFileSync(path, bytes);
      return () => {
        const file = new Tokens(path, 4, COUNTS.length);
        try {
          return file.read([0, 1, 2]);
        } finally {
          file.close();
        }
      };
    };

    test('unless it is unchanged', () => {
      expect([...damage(0, () => {})().counts]).toEqual(COUNTS);
    });

    test.each<[string, number, (bytes: Buffer) => void, string]>([
      [
        'a last block past the end',
        0,
        (bytes) => bytes.writeUInt32LE(6, 12),
        'do not fit 3 passages with 4 parts',
      ],
      [
        'a last block before the end',
        0,
        (bytes) => bytes.writeUInt32LE(4, 12),
        'do not fit 3 passages with 4 parts',
      ],
      [
        'a passage past the end',
        0,
        (bytes) => bytes.writeUInt32LE(2 ** 32 - 1, 4),
        'passage 0 has 16 tokens in the blocks 0 to 4294967295',
      ],
      [
        'passages that overlap',
        0,
        (bytes) => bytes.writeUInt32LE(0, 8),
        'passage 1 has 3 tokens in the blocks 1 to 0',
      ],
      [
        'more tokens than blocks',
        1,
        (bytes) => bytes.writeUInt16LE(17, 0),
        'passage 0 has 17 tokens in the blocks 0 to 1',
      ],
      [
        'fewer tokens than blocks',
        1,
        (bytes) => bytes.writeUInt16LE(0, 2),
        'passage 1 has 0 tokens in the blocks 1 to 2',
      ],
    ])('%s', (_, section, change, problem) => {
      expect(damage(section, change)).toThrow(problem);
      expect(damage(section, change)).toThrow(/tokens\.bin is damaged: .+\. Run npx polyseek index again\.$/);
    });

    test('blocks past the end, with the right number of them', () => {
      const bytes = tokensFile(randomCodes(COUNTS, 4, 1), 4);
      const { buffer, byteOffset } = readSections(bytes, TOKENS, path)[0]!;
      new Uint32Array(buffer, byteOffset, 2).set([9, 10]);
      writeFileSync(path, bytes);
      const file = new Tokens(path, 4, COUNTS.length);
      expect(() => file.read([0])).toThrow(
        /tokens\.bin is damaged: bytes up to 320 of section 2 are needed, but it has 160\. Run npx polyseek index again\.$/,
      );
      file.close();
    });

    test.each([
      ['other parts', 8, 3],
      ['more passages', 4, 4],
      ['fewer passages', 4, 2],
      ['parts that do not fill a byte', 4.5, 3],
    ])('%s', (_, parts, passages) => {
      damage(0, () => {});
      expect(() => new Tokens(path, parts, passages)).toThrow(
        `its sections do not fit ${passages} passages with ${parts} parts`,
      );
    });

    test.each([3, 2 ** 32 - 1])('passage %d of 3', (passage) => {
      damage(0, () => {});
      const file = new Tokens(path, 4, 3);
      expect(() => file.read([0, passage])).toThrow(
        `${path} is damaged: it has no passage ${passage} of 3. Run npx polyseek index again.`,
      );
      file.close();
    });

    test('any bit of the tables flipped gives codes or the error', () => {
      const bytes = tokensFile(randomCodes(COUNTS, 4, 1), 4);
      fc.assert(
        fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
          const copy = bytes.slice();
          copy[at]! ^= 1 << bit;
          writeFileSync(path, copy);
          try {
            const file = new Tokens(path, 4, 3);
            try {
              const { codes, counts } = file.read([0, 1, 2]);
              expect(codes).toHaveLength(counts.reduce((sum, count) => sum + Math.ceil(count / 16) * 32, 0));
            } finally {
              file.close();
            }
          } catch (error) {
            expect((error as Error).message).toMatch(/tokens\.bin (is damaged: |has version )/);
          }
        }),
        { numRuns: runs(500) },
      );
    });
  });
});
