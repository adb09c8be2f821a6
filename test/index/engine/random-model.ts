import { normalized } from '../../../index/embedding/embedder.ts';
import { ENCODER } from '../../../index/embedding/encoder.ts';
import { writeSections } from '../../../index/format/container.ts';
import { dot, gaussian, randomNumbers } from '../../fixtures/index.ts';

/** The settings of an `encoder.bin`. */
export interface Sizes {
  columns: number;
  layers: number;
  heads: number;
  inner: number;
  axes: number;
}

/** Every array of an `encoder.bin`, in the order of FORMAT.md, filled with random numbers. */
export function randomModel(sizes: Sizes, seed: number) {
  const { columns, layers, inner, axes } = sizes;
  const random = randomNumbers(seed);
  const floats: Float32Array[] = [];
  const [sums, weights]: [Int32Array[], Int8Array[]] = [[], []];
  const put = (count: number, from: number, to: number) => {
    const values = Float32Array.from({ length: count }, () => from + (to - from) * random());
    floats.push(values);
    return values;
  };
  const norm = () => ({ weight: put(columns, 0.5, 1.5), bias: put(columns, -0.5, 0.5) });
  const dense = (inputs: number, outputs: number) => {
    const smooth = put(inputs, 0.5, 2);
    const [scales, bias] = [put(outputs, 0.001, 0.01), put(outputs, -0.5, 0.5)];
    const rows = Array.from({ length: inputs }, () =>
      Int8Array.from({ length: outputs }, () => Math.floor(random() * 129) - 64),
    );
    const packed = new Int8Array(inputs * outputs);
    rows.forEach((row, k) => {
      row.forEach((value, n) => {
        packed[(n >> 4) * 16 * inputs + (k >> 2) * 64 + (n & 15) * 4 + (k & 3)] = value;
      });
    });
    sums.push(Int32Array.from({ length: outputs }, (_, n) => rows.reduce((sum, row) => sum + row[n]!, 0)));
    weights.push(packed);
    return { smooth, scales, bias, rows };
  };
  const first = norm();
  const parts = Array.from({ length: layers }, () => ({
    qkv: dense(columns, 3 * columns),
    attended: dense(columns, columns),
    attendedNorm: norm(),
    inner: dense(columns, inner),
    outer: dense(inner, columns),
    outerNorm: norm(),
  }));
  const axisRows = Array.from({ length: axes }, () => normalized(gaussian(columns, random)));
  floats.push(...axisRows);
  return { first, parts, axisRows, floats, sums, weights };
}
type RandomModel = ReturnType<typeof randomModel>;

/** The bytes of an `encoder.bin` for texts of up to `maxTokens` tokens. */
export function encoderBytes(
  { columns, layers, heads, inner, axes }: Sizes,
  { floats, sums, weights }: Pick<RandomModel, 'floats' | 'sums' | 'weights'>,
  maxTokens = 100,
): Uint8Array {
  const settings = new DataView(new ArrayBuffer(32));
  for (const [i, value] of [columns, layers, heads, inner, axes, maxTokens].entries())
    settings.setUint32(4 * i, value, true);
  settings.setFloat32(24, 1e-12, true);
  const join = (arrays: (Float32Array | Int32Array | Int8Array)[]) =>
    Buffer.concat(arrays.map(({ buffer }) => new Uint8Array(buffer)));
  return writeSections(ENCODER, [new Uint8Array(settings.buffer), join(floats), join(sums), join(weights)]);
}

/**
 * Computes an embedding in double precision, by the definitions of the operators.
 * @param nudge added to each number before it is rounded to a byte
 */
export function referenceEmbedding(
  { heads }: Sizes,
  model: RandomModel,
  input: number[][],
  nudge = 0,
): number[] {
  const norm = (x: number[][], { weight, bias }: { weight: Float32Array; bias: Float32Array }) =>
    x.map((row) => {
      const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
      const deviation = Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length);
      return row.map((value, i) => ((value - mean) / deviation) * weight[i]! + bias[i]!);
    });
  const dense = (x: number[][], { smooth, scales, bias, rows }: RandomModel['parts'][0]['qkv']) => {
    const smoothed = x.map((row) => row.map((value, i) => value * smooth[i]!));
    const [least, most] = [Math.min(0, ...smoothed.flat()), Math.max(0, ...smoothed.flat())];
    const scale = (most - least) / 255;
    const zero = Math.round(-least / scale);
    const byte = (value: number) => Math.min(255, Math.max(0, Math.round(value / scale + nudge) + zero));
    return smoothed.map((row) =>
      Array.from(bias, (shift, n) =>
        row.reduce((sum, value, k) => sum + (byte(value) - zero) * scale * rows[k]![n]! * scales[n]!, shift),
      ),
    );
  };
  const attend = (x: number[][]) => {
    const columns = x[0]!.length / 3;
    const size = columns / heads;
    return x.map((row) =>
      Array.from({ length: heads }, (_, index) => {
        const head = index * size;
        const query = row.slice(head, head + size);
        const scores = x.map((other) =>
          query.reduce((sum, value, d) => sum + value * other[columns + head + d]!, 0),
        );
        const largest = Math.max(...scores);
        const shares = scores.map((score) => Math.exp((score - largest) / Math.sqrt(size)));
        const sum = shares.reduce((a, b) => a + b);
        return query.map((_, d) =>
          shares.reduce((total, share, j) => total + (share / sum) * x[j]![2 * columns + head + d]!, 0),
        );
      }).flat(),
    );
  };
  const gelu = (x: number) => {
    // This series of erf is accurate enough for these numbers.
    let [term, sum] = [x / Math.SQRT2, x / Math.SQRT2];
    for (let n = 1; n < 200; n++) {
      term *= (-x * x) / 2 / n;
      sum += term / (2 * n + 1);
    }
    return (x / 2) * (1 + (Math.abs(x) > 5 ? Math.sign(x) : (2 / Math.sqrt(Math.PI)) * sum));
  };
  const add = (a: number[][], b: number[][]) => a.map((row, t) => row.map((value, i) => value + b[t]![i]!));
  let x = norm(input, model.first);
  for (const { qkv, attended, attendedNorm, inner, outer, outerNorm } of model.parts) {
    x = norm(add(x, dense(attend(dense(x, qkv)), attended)), attendedNorm);
    const wide = dense(x, inner).map((row) => row.map(gelu));
    x = norm(add(x, dense(wide, outer)), outerNorm);
  }
  const mean = x[0]!.map((_, i) => x.reduce((sum, row) => sum + row[i]!, 0) / x.length);
  const left = mean.map(
    (value, i) => value - model.axisRows.reduce((sum, axis) => sum + dot(mean, axis) * axis[i]!, 0),
  );
  return left.map((value) => value / Math.hypot(...left));
}
