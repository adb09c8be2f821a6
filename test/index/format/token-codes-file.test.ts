import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSections } from '../../../index/format/container.ts';
import {
  readTokenCodebook,
  TOKEN_CODES,
  type TokenCodebook,
  writeTokenCodebook,
} from '../../../index/format/token-codes-file.ts';
import { gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';

const path = join(temporaryFolder(), 'token-codes.bin');

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
