/**
 * The length of a vector: `Math.hypot(...vector)` as V8 computes it, with a compensated sum of the squares of shares of the largest
 * number. Spelled out, it is fast for many numbers, and the same in each version of V8.
 */
export function lengthOf(vector: Float32Array | Int8Array): number {
  let max = 0;
  for (let i = 0; i < vector.length; i++) max = Math.max(max, Math.abs(vector[i]!));
  if (max === 0) return 0;
  let sum = 0;
  let compensation = 0;
  for (let i = 0; i < vector.length; i++) {
    const share = Math.abs(vector[i]!) / max;
    const summand = share * share - compensation;
    const next = sum + summand;
    compensation = next - sum - summand;
    sum = next;
  }
  return Math.sqrt(sum) * max;
}
