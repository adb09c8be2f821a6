import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { processedCost, scaling } from '../../infra/scaling.ts';

describe('the cost of the vectors that a query processes', () => {
  // https://aws.amazon.com/s3/pricing/: 4 KB of vector, 1 KB of filterable metadata, 0.17 KB of key.
  const bytes = 5.17 * 1024;

  test("equals AWS's examples", () => {
    expect(1e6 * processedCost(250_000, bytes)).toBeCloseTo(1.93 + 1.44, 1);
    expect(1e7 * processedCost(1e7, bytes)).toBeCloseTo(19.26 + 953.36, 1);
  });

  test('has three tiers, each for the vectors within it', () => {
    const bytesPerVector = 2 ** 40 / 1e9;
    const thousandths = (vectors: number) => 1000 * processedCost(vectors, bytesPerVector);
    expect(thousandths(1e5)).toBeCloseTo(0.1 * 0.004, 10);
    expect(thousandths(1e7)).toBeCloseTo(0.1 * 0.004 + 9.9 * 0.002, 10);
    expect(thousandths(1e9)).toBeCloseTo(0.1 * 0.004 + 9.9 * 0.002 + 990 * 0.0004, 10);
  });
});

test('sizes, embedding, upload and storage grow with the passages', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e8 }), (passages) => {
      const [one, ten] = [scaling(passages), scaling(10 * passages)];
      for (const value of ['gigabytes', 'processorHours', 'uploadHours', 'storage'] as const)
        expect(ten[value] / one[value]).toBeCloseTo(10, 6);
      expect(ten.once.upload / one.once.upload).toBeCloseTo(10, 6);
      expect(ten.questions.processed).toBeGreaterThan(one.questions.processed);
      // What depends on the question alone.
      for (const part of ['queries', 'returned', 'rows'] as const)
        expect(ten.questions[part]).toBe(one.questions[part]);
    }),
  );
});

test('a query returns the rows of 100 passages, of which 512 KB are free', () => {
  const { questions, gigabytes } = scaling(1e6);
  expect(questions.queries).toBeCloseTo(2.5, 10);
  // All metadata and keys of 100 passages, without their vectors.
  const rows = 100 * ((gigabytes * 2 ** 30) / 1e6 - 4 * 384);
  expect(questions.returned).toBeCloseTo((1e6 * (rows - 512 * 1024) * 0.01) / 2 ** 30, 6);
});
