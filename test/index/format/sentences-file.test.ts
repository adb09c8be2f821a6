import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { normalized } from '../../../index/embedding/embedder.ts';
import { quantized, SentenceVectors, writeSentences } from '../../../index/format/sentences-file.ts';
import { dot, gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';

const DIMENSIONS = 384;
const path = join(temporaryFolder(), 'sentences.bin');
const random = randomNumbers(7);
const vector = () => normalized(gaussian(DIMENSIONS, random));
const passages = [1, 5, 2, 30].map((count) => Array.from({ length: count }, vector));

function open(vectors: Float32Array[][], dimensions: number): SentenceVectors {
  writeFileSync(path, writeSentences(vectors.map((sentences) => sentences.map(quantized))));
  return new SentenceVectors(path, dimensions);
}

test('the best sentence of a passage is the one with the highest cosine, to .005', () => {
  const file = open(passages, DIMENSIONS);
  for (let question = 0; question < 50; question++) {
    // Half of the questions are near a sentence, as questions are, the others anywhere.
    const target = passages[3]![question % 30]!;
    const query =
      question % 2 === 0 ? vector() : normalized(vector().map((value, i) => value + 2 * target[i]!));
    for (const [ordinal, sentences] of passages.entries()) {
      const cosines = sentences.map((sentence) => dot(sentence, query));
      const { sentence, cosine } = file.best(query)(ordinal);
      expect(Math.abs(cosine - cosines[sentence]!)).toBeLessThan(0.005);
      expect(Math.max(...cosines) - cosines[sentence]!).toBeLessThan(0.01);
    }
  }
  file.close();
});

test('a sentence is nearest to itself', () => {
  const file = open(passages, DIMENSIONS);
  passages.forEach((sentences, ordinal) => {
    sentences.forEach((sentence, number) => {
      expect(file.best(sentence)(ordinal).sentence).toBe(number);
    });
  });
  file.close();
});

test('a passage may have any number of sentences', () => {
  const many = Array.from({ length: 200 }, vector);
  const file = open([passages[0]!, many, passages[1]!], DIMENSIONS);
  many.forEach((sentence, number) => {
    expect(file.best(sentence)(1).sentence).toBe(number);
  });
  file.close();
});

test('a cosine may be -1, and the first of equal sentences is taken', () => {
  const file = open([[Float32Array.of(0, -1)], [Float32Array.of(1, 0), Float32Array.of(1, 0)]], 2);
  expect(file.best(Float32Array.of(0, 1))(0)).toEqual({ sentence: 0, cosine: -1 });
  expect(file.best(Float32Array.of(1, 0))(1)).toEqual({ sentence: 0, cosine: 1 });
  file.close();
});

test('the largest number of a quantized vector is 127 or -127', () => {
  expect([...quantized(Float32Array.of(0.1, -0.2, 0))]).toEqual([64, -127, 0]);
});
