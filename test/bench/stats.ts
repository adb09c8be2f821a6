/** Returns the lower quartile, median and upper quartile. */
export type Quartiles = [lower: number, median: number, upper: number];

/** Returns a quantile (0 to 1) by nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function quartiles(values: readonly number[]): Quartiles {
  return [percentile(values, 0.25), median(values), percentile(values, 0.75)];
}
