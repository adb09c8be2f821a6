import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compress } from '../../../index/embedding/token-embedder.ts';
import { nativeMatcher, plainMatcher } from '../../../index/embedding/token-matcher.ts';
import { CODEWORDS, interleave, PART, type TokenCodes } from '../../../index/format/tokens-file.ts';
import { gaussian, randomNumbers } from '../../fixtures/index.ts';
import { library } from './engine-library.ts';

/** The codes of passages with these counts of tokens, and the same codes as the engine reads them. */
function passagesOf(counts: number[], parts: number, seed: number): TokenCodes & { plain: Uint8Array[] } {
  const random = randomNumbers(seed);
  const plain = counts.map((count) =>
    Uint8Array.from({ length: count * parts }, () => Math.floor(random() * CODEWORDS)),
  );
  const blocks = plain.map((codes) => interleave(codes, parts));
  return { plain, codes: Uint8Array.from(Buffer.concat(blocks)), counts: Uint32Array.from(counts) };
}

const anyCase = fc.record({
  parts: fc.constantFrom(4, 8, 20, 96, 256),
  tokens: fc.integer({ min: 0, max: 9 }),
  counts: fc.array(fc.oneof(fc.constantFrom(0, 1, 15, 16, 17, 32), fc.nat(70)), { maxLength: 12 }),
  seed: fc.nat(),
});

describe('every kernel', () => {
  test('finds the same tokens as plain JavaScript, with the same bits', async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ parts, tokens, counts, seed }) => {
        const random = randomNumbers(seed);
        const states = gaussian(tokens * parts * PART, random);
        const codewords = gaussian(CODEWORDS * parts * PART, random);
        const { codes, counts: sizes } = passagesOf(counts, parts, seed + 1);
        const expected = await plainMatcher(codewords)(states, { codes, counts: sizes });
        expect(await nativeMatcher(library, codewords)(states, { codes, counts: sizes })).toEqual(expected);
        const tables = library.tabulate(states, codewords);
        for (const kernel of library.kernels)
          expect(library.matchTokens(tables, tokens, codes, sizes, kernel), kernel).toEqual(expected.best);
      }),
    );
  });

  test('finds the tokens of the largest sum of products, except for rounding', () => {
    fc.assert(
      fc.property(anyCase, ({ parts, tokens, counts, seed }) => {
        const columns = parts * PART;
        const random = randomNumbers(seed);
        const states = gaussian(tokens * columns, random);
        const codewords = gaussian(CODEWORDS * columns, random);
        const { plain, codes, counts: sizes } = passagesOf(counts, parts, seed + 1);
        const product = (token: number, part: number, code: number) => {
          let sum = 0;
          for (let i = 0; i < PART; i++)
            sum +=
              states[token * columns + part * PART + i]! * codewords[(part * CODEWORDS + code) * PART + i]!;
          return sum;
        };
        const tables = library.tabulate(states, codewords);
        const found = library.matchTokens(tables, tokens, codes, sizes);
        expect(found).toHaveLength(2 * tokens * counts.length);
        for (let token = 0; token < tokens; token++) {
          const products = Array.from({ length: parts }, (_, part) =>
            Array.from({ length: CODEWORDS }, (_, code) => product(token, part, code)),
          );
          // A byte of the table has an error of half a step, and the steps are equal in all parts.
          const step = Math.max(...products.map((own) => Math.max(...own) - Math.min(...own))) / 255;
          const error = (parts * step) / 2 + 1e-3;
          for (const [passage, own] of plain.entries()) {
            const at = 2 * (passage * tokens + token);
            const [similarity, place] = [found[at]!, found[at + 1]!];
            const sums = Array.from({ length: own.length / parts }, (_, other) =>
              products.reduce((sum, words, part) => sum + words[own[other * parts + part]!]!, 0),
            );
            if (sums.length === 0) expect([similarity, place]).toEqual([0, 0]);
            else {
              expect(Math.abs(similarity - sums[place]!)).toBeLessThan(error);
              expect(Math.max(...sums) - sums[place]!).toBeLessThan(2 * error);
            }
          }
        }
      }),
    );
  });

  test('takes the first of equal tokens, and ignores the zeros after the last', () => {
    const parts = 4;
    const codewords = new Float32Array(CODEWORDS * parts * PART);
    // Only code 1 differs from 0, and code 0, which fills a block, is the most similar.
    for (let part = 0; part < parts; part++) codewords[(part * CODEWORDS + 1) * PART] = -1;
    const states = new Float32Array(parts * PART).fill(1);
    const tables = library.tabulate(states, codewords);
    const codes = interleave(new Uint8Array(3 * parts).fill(1), parts);
    for (const kernel of library.kernels)
      expect([...library.matchTokens(tables, 1, codes, Uint32Array.of(3), kernel)]).toEqual([-4, 0]);
  });

  test('has exact sums at the most parts and the largest bytes', () => {
    const parts = 256;
    const codewords = new Float32Array(CODEWORDS * parts * PART);
    for (let part = 0; part < parts; part++) codewords[(part * CODEWORDS + 15) * PART] = 1;
    const tables = library.tabulate(new Float32Array(parts * PART).fill(1), codewords);
    const codes = interleave(new Uint8Array(17 * parts).fill(0).fill(15, 16 * parts), parts);
    for (const kernel of library.kernels) {
      const [similarity, place] = library.matchTokens(tables, 1, codes, Uint32Array.of(17), kernel);
      expect(place).toBe(16);
      expect(similarity).toBeCloseTo(256, 3);
    }
  });
});

test('a state is compressed to its nearest codewords', () => {
  fc.assert(
    fc.property(fc.constantFrom(1, 4, 24), fc.nat(5), fc.nat(), (parts, tokens, seed) => {
      const random = randomNumbers(seed);
      const columns = parts * PART;
      const codewords = gaussian(CODEWORDS * columns, random);
      const states = gaussian(tokens * columns, random);
      const center = new Float32Array(columns);
      const codes = compress(states, { centers: { query: center, passage: center }, codewords });
      expect(codes).toHaveLength(tokens * parts);
      codes.forEach((code, at) => {
        const distances = Array.from({ length: CODEWORDS }, (_, word) => {
          let sum = 0;
          for (let i = 0; i < PART; i++)
            sum += (states[at * PART + i]! - codewords[((at % parts) * CODEWORDS + word) * PART + i]!) ** 2;
          return sum;
        });
        expect(distances[code]! - Math.min(...distances)).toBeLessThan(1e-5);
      });
    }),
  );
});
