import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { normalized } from '../../../index/embedding/embedder.ts';
import { readSections } from '../../../index/format/container.ts';
import { quantized, SENTENCES, SentenceVectors } from '../../../index/format/sentences-file.ts';
import { sentencesFile } from '../../fixtures/files.ts';
import { dot, gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';

const DIMENSIONS = 384;
const path = join(temporaryFolder(), 'sentences.bin');
const random = randomNumbers(7);
const vector = () => normalized(gaussian(DIMENSIONS, random));
const passages = [1, 5, 2, 30].map((count) => Array.from({ length: count }, vector));

function open(vectors: Float32Array[][], dimensions: number): SentenceVectors {
  writeFileSync(path, sentencesFile(vectors.map((sentences) => sentences.map(quantized))));
  return new SentenceVectors(path, dimensions);
}

test('the best sentence of a passage has the highest cosine, to .005', () => {
  const file = open(passages, DIMENSIONS);
  for (let question = 0; question < 50; question++) {
    // Half of the questions are near a sentence, as real questions are. The others are random.
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

test('the first of equal sentences wins, even with a cosine of -1', () => {
  const file = open([[Float32Array.of(0, -1)], [Float32Array.of(1, 0), Float32Array.of(1, 0)]], 2);
  expect(file.best(Float32Array.of(0, 1))(0)).toEqual({ sentence: 0, cosine: -1 });
  expect(file.best(Float32Array.of(1, 0))(1)).toEqual({ sentence: 0, cosine: 1 });
  file.close();
});

test('the largest component of a quantized vector is 127 or -127', () => {
  expect([...quantized(Float32Array.of(0.1, -0.2, 0))]).toEqual([64, -127, 0]);
});

test('two queries can be compared alternately', () => {
  const file = open(passages, DIMENSIONS);
  const queries = [vector(), vector()];
  const expected = queries.map((query) => [0, 1, 2, 3].map(file.best(query)));
  const [first, second] = queries.map((query) => file.best(query));
  for (const ordinal of [0, 1, 2, 3]) {
    expect(first!(ordinal)).toEqual(expected[0]![ordinal]);
    expect(second!(ordinal)).toEqual(expected[1]![ordinal]);
  }
  file.close();
});

describe('a damaged file is refused', () => {
  const three = [1, 0, 2].map((value) => Float32Array.of(value, 1));
  /** Writes two passages with one and two sentences, and changes a section. */
  const damage = (section: number, change: (bytes: Buffer) => void) => {
    const bytes = sentencesFile([[quantized(three[0]!)], three.slice(1).map(quantized)]);
    const { buffer, byteOffset, length } = readSections(bytes, SENTENCES, path)[section]!;
    change(Buffer.from(buffer, byteOffset, length));
    writeFileSync(path, bytes);
    return () => {
      const file = new SentenceVectors(path, 2);
      try {
        return [0, 1].map(file.best(Float32Array.of(1, 0)));
      } finally {
        file.close();
      }
    };
  };

  test('unless it is unchanged', () => {
    expect(damage(0, () => {})()).toHaveLength(2);
  });

  test.each<[string, number, (bytes: Buffer) => void, string]>([
    ['another number of sentences', 0, (bytes) => bytes.writeUInt32LE(4, 8), 'do not fit 2 dimensions'],
    ['a first sentence other than 0', 0, (bytes) => bytes.writeUInt32LE(1, 0), 'do not fit 2 dimensions'],
    ['a passage past the end', 0, (bytes) => bytes.writeUInt32LE(9, 4), 'passage 0 has the sentences 0 to 9'],
    ['a norm that is not a number', 1, (bytes) => bytes.fill(255, 2, 6), 'sentence 0 has the norm NaN'],
    ['an impossible norm', 1, (bytes) => bytes.writeFloatLE(-1, 8), 'sentence 1 has the norm -1'],
  ])('%s', (_, section, change, problem) => {
    expect(damage(section, change)).toThrow(problem);
    expect(damage(section, change)).toThrow(
      /sentences\.bin is damaged: .+\. Run npx polyseek index again\.$/,
    );
  });

  test('other dimensions', () => {
    damage(0, () => {});
    expect(() => new SentenceVectors(path, 3)).toThrow('do not fit 3 dimensions');
  });

  test('a passage out of range', () => {
    damage(0, () => {});
    const file = new SentenceVectors(path, 2);
    expect(() => file.best(Float32Array.of(1, 0))(2)).toThrow('it has no passage 2 of 2');
    file.close();
  });
});
