import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clusters } from '../../../index/evaluate/unanswered.ts';

/** Average linkage as it is defined: joins the two most similar clusters, until none are similar enough. */
function plainClusters(vectors: readonly Float32Array[], least: number): number[][] {
  const all = vectors.map((_, place) => [place]);
  const cosine = (i: number, j: number) => vectors[i]!.reduce((sum, x, n) => sum + x * vectors[j]![n]!, 0);
  const mean = (a: number[], b: number[]) =>
    a.flatMap((i) => b.map((j) => cosine(i, j))).reduce((sum, x) => sum + x, 0) / (a.length * b.length);
  for (;;) {
    let most = { similarity: Number.NEGATIVE_INFINITY, i: 0, j: 0 };
    for (const [i, a] of all.entries())
      for (const [j, b] of all.slice(0, i).entries()) {
        const similarity = mean(a, b);
        if (similarity > most.similarity) most = { similarity, i, j };
      }
    if (!(most.similarity >= least)) return all;
    const [joined = []] = all.splice(most.i, 1);
    all[most.j]!.push(...joined);
  }
}

const sorted = (groups: number[][]) =>
  groups.map((group) => group.toSorted((a, b) => a - b)).sort(([a = 0], [b = 0]) => a - b);

test('clusters are those of plain average linkage', () => {
  const vector = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(
      fc.array(vector, { maxLength: 24 }),
      fc.double({ min: -0.5, max: 1, noNaN: true }),
      (rows, least) => {
        const vectors = rows.map((row) => {
          const length = Math.hypot(...row) || 1;
          return Float32Array.from(row, (x) => x / length);
        });
        // Equal similarities may be joined in another order.
        const values = vectors.flatMap((a, i) =>
          vectors.slice(0, i).map((b) => a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!),
        );
        const sortedValues = values.toSorted((a, b) => a - b);
        fc.pre(sortedValues.every((value, i) => i === 0 || value - sortedValues[i - 1]! > 1e-5));
        expect(sorted(clusters(vectors, least))).toEqual(sorted(plainClusters(vectors, least)));
      },
    ),
  );
});
