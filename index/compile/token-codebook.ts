import type { TextKind } from '../embedding/embedder.ts';
import { centered } from '../embedding/token-embedder.ts';
import type { LearnedTokens } from '../format/compiled-model.ts';
import { CODEWORDS, PART } from '../format/tokens-file.ts';

/** Token states that codewords are learned from. More do not help. */
const SAMPLE = 40_000;
const ITERATIONS = 12;

/**
 * Learns the compression of token states from texts in many languages: their mean, and the codewords of each part of a state (product
 * quantization; Jégou, Douze and Schmid 2011).
 * @param statesOf the states of a text's tokens, `dimensions` numbers each
 */
export async function learnTokens(
  layer: number,
  editions: readonly (readonly string[])[],
  dimensions: number,
  statesOf: (text: string, kind: TextKind) => Promise<Float32Array>,
): Promise<LearnedTokens> {
  const read = async (kind: TextKind): Promise<Float32Array[][]> => {
    const states: Float32Array[][] = [];
    for (const [i, texts] of editions.entries()) {
      states[i] = [];
      for (const text of texts) states[i].push(await statesOf(text, kind));
    }
    return states;
  };
  const [query, passage] = [await read('query'), await read('passage')];
  const center = meanOf(passage, dimensions);
  const sample = sampleOf(passage.flat(), dimensions).map((state) => centered(state, center));
  const codewords = Array.from({ length: dimensions / PART }, (_, part) =>
    kMeans(sample.map((state) => state.subarray(part * PART, (part + 1) * PART))),
  );
  const centers = {
    query: Array.from(meanOf(query, dimensions), round),
    passage: Array.from(center, round),
  };
  return { layer, centers, codewords };
}

/** The mean of states, in which each edition counts the same. */
function meanOf(editions: readonly Float32Array[][], dimensions: number): Float32Array {
  const mean = new Float64Array(dimensions);
  for (const texts of editions) {
    const sum = new Float64Array(dimensions);
    let tokens = 0;
    for (const states of texts) {
      tokens += states.length / dimensions;
      states.forEach((value, i) => {
        sum[i % dimensions]! += value;
      });
    }
    for (let i = 0; i < dimensions; i++) mean[i]! += sum[i]! / tokens / editions.length;
  }
  return Float32Array.from(mean, round);
}

/** States spread evenly over all texts. */
function sampleOf(all: readonly Float32Array[], dimensions: number): Float32Array[] {
  const total = all.reduce((sum, states) => sum + states.length / dimensions, 0);
  const step = Math.max(1, total / SAMPLE);
  const sample: Float32Array[] = [];
  let [next, before] = [0, 0];
  for (const states of all) {
    const tokens = states.length / dimensions;
    for (; Math.floor(next) < before + tokens; next += step) {
      const token = Math.floor(next) - before;
      sample.push(states.slice(token * dimensions, (token + 1) * dimensions));
    }
    before += tokens;
  }
  return sample;
}

/** The centers of clusters, one after the other (Lloyd's algorithm). Starts from points spread over the list, so that it repeats. */
function kMeans(points: readonly Float32Array[]): number[] {
  let centers = Array.from({ length: CODEWORDS }, (_, i) =>
    Array.from(points[Math.floor((i * points.length) / CODEWORDS)]!),
  );
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const sums = centers.map(() => new Float64Array(PART + 1));
    for (const point of points) {
      const sum = sums[nearest(point, centers)]!;
      for (let i = 0; i < PART; i++) sum[i]! += point[i]!;
      sum[PART]!++;
    }
    centers = sums.map((sum, c) =>
      sum[PART]! > 0 ? Array.from(sum.subarray(0, PART), (value) => value / sum[PART]!) : centers[c]!,
    );
  }
  return centers.flat().map(round);
}

function nearest(point: Float32Array, centers: readonly number[][]): number {
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  centers.forEach((center, c) => {
    let distance = 0;
    for (let i = 0; i < PART; i++) distance += (point[i]! - center[i]!) ** 2;
    if (distance < least) [best, least] = [c, distance];
  });
  return best;
}

function round(value: number): number {
  return Number(value.toFixed(5));
}
