import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import onnxProto from 'onnx-proto';
import { describe, expect, test } from 'vitest';
import { compileModel, DEFAULT_MODEL } from '../../../index/compile/compile.ts';
import { Graph } from '../../../index/compile/onnx-graph.ts';
import { packEncoder } from '../../../index/compile/pack-encoder.ts';
import { Embedder, normalized } from '../../../index/embedding/embedder.ts';
import { PackedEncoder } from '../../../index/embedding/packed-encoder.ts';
import { loadLibrary } from '../../../index/engine/load.ts';
import { readSections, writeSections } from '../../../index/format/container.ts';
import { ENCODER } from '../../../index/format/encoder-file.ts';
import { dot, gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';

const library = await loadLibrary();
const folder = temporaryFolder();
const path = join(folder, 'encoder.bin');

interface Sizes {
  columns: number;
  layers: number;
  heads: number;
  inner: number;
  axes: number;
}

/** Every array of an `encoder.bin` in the order of FORMAT.md, filled with random numbers. */
function randomModel(sizes: Sizes, seed: number) {
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

function write({ columns, layers, heads, inner, axes }: Sizes, { floats, sums, weights }: RandomModel): void {
  const settings = new DataView(new ArrayBuffer(32));
  for (const [i, value] of [columns, layers, heads, inner, axes, 100].entries())
    settings.setUint32(4 * i, value, true);
  settings.setFloat32(24, 1e-12, true);
  const join = (arrays: (Float32Array | Int32Array | Int8Array)[]) =>
    Buffer.concat(arrays.map(({ buffer }) => new Uint8Array(buffer)));
  writeFileSync(
    path,
    writeSections(ENCODER, [new Uint8Array(settings.buffer), join(floats), join(sums), join(weights)]),
  );
}

/** What the encoder computes, by the operators' definitions and in double precision. */
function reference({ heads }: Sizes, model: RandomModel, input: number[][]): number[] {
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
    const byte = (value: number) => Math.min(255, Math.max(0, Math.round(value / scale) + zero));
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
      Array.from({ length: columns }, (_, at) => {
        const head = Math.floor(at / size) * size;
        const scores = x.map((other) =>
          Array.from({ length: size }, (_, d) => row[head + d]! * other[columns + head + d]!).reduce(
            (a, b) => a + b,
          ),
        );
        const most = Math.max(...scores);
        const shares = scores.map((score) => Math.exp((score - most) / Math.sqrt(size)));
        const sum = shares.reduce((a, b) => a + b);
        return shares.reduce((total, share, j) => total + (share / sum) * x[j]![2 * columns + at]!, 0);
      }),
    );
  };
  const gelu = (x: number) => {
    // erf by its series, which is exact enough for numbers of this size.
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

const anyModel = fc.record({
  columns: fc.constantFrom(64, 128),
  layers: fc.integer({ min: 1, max: 2 }),
  heads: fc.constantFrom(1, 2),
  inner: fc.constantFrom(64, 192),
  axes: fc.integer({ min: 0, max: 2 }),
});

describe('the project’s own engine', () => {
  test('gives the same bits with every kernel, and the vector of the operators’ definitions', async () => {
    await fc.assert(
      fc.asyncProperty(anyModel, fc.integer({ min: 1, max: 40 }), fc.nat(), async (sizes, tokens, seed) => {
        const model = randomModel(sizes, seed);
        write(sizes, model);
        const random = randomNumbers(seed + 1);
        const rows = gaussian(tokens * sizes.columns, random);
        const vectors = library.kernels.map((kernel) => new PackedEncoder(path, library, kernel).run(rows));
        const [vector, ...others] = await Promise.all(vectors);
        for (const other of others) expect(other).toEqual(vector);
        const input = Array.from({ length: tokens }, (_, t) =>
          Array.from(rows.subarray(t * sizes.columns, (t + 1) * sizes.columns)),
        );
        // A number on the edge between two bytes may fall on either side of it.
        expect(dot(vector!, reference(sizes, model, input))).toBeGreaterThan(0.9995);
      }),
      { numRuns: 30 },
    );
  });

  test('has a kernel for this processor besides the plain one', () => {
    expect(library.kernels.at(-1)).toBe('plain');
    expect(library.kernels.length).toBeGreaterThan(1);
    expect(() => new PackedEncoder(path, library, 'other')).toThrow(
      'This processor cannot run the kernel other.',
    );
  });

  test('gives the default model’s vectors as ONNX Runtime does, but for rounding', async () => {
    const own = await Embedder.open(compileModel(DEFAULT_MODEL), { verify: true });
    const into = join(folder, 'models');
    const other = await Embedder.open(compileModel(DEFAULT_MODEL, { engine: 'onnx', into }), {
      verify: true,
    });
    expect([own.model.engine, other.model.engine]).toEqual(['packed', 'onnx']);
    const texts = [
      'Who may be held in slavery?',
      'Wie hoch ist der höchste Berg der Alpen?',
      '长城有多长？',
      'متى ولد الشاعر؟',
      'सभी मनुष्यों को गौरव और अधिकारों के मामले में समानता प्राप्त है।',
      'a',
      'The river flows into the sea near the town. '.repeat(60),
    ];
    for (const text of texts)
      expect(dot(await own.embed(text, 'query'), await other.embed(text, 'query')), text).toBeGreaterThan(
        0.9993,
      );
  });

  test('refuses rows of another size', async () => {
    const encoder = new PackedEncoder(path, library);
    for (const numbers of [0, 1, 101 * 128])
      await expect(encoder.run(new Float32Array(numbers))).rejects.toThrow(
        /^A run takes the rows of 1 to 100 tokens of (64|128) numbers each, not \d+ numbers\.$/,
      );
  });

  test('refuses a damaged file', () => {
    const bytes = readFileSync(join(compileModel(DEFAULT_MODEL), 'encoder.bin'));
    const damaged = (change: (copy: Buffer) => void) => {
      const copy = Buffer.from(bytes);
      change(copy);
      writeFileSync(path, copy);
      return () => new PackedEncoder(path, library);
    };
    expect(damaged((copy) => copy.write('XSEN'))).toThrow(
      'encoder.bin starts with "XSEN" where PSEN version 1',
    );
    expect(damaged((copy) => copy.writeUInt32LE(9, 4))).toThrow('encoder.bin is PSEN version 9, but');
    // One layer more than there is, columns that are no multiple of 32, a section beyond the file.
    expect(damaged((copy) => copy.writeUInt32LE(13, 80 + 4))).toThrow('shorter than its settings say');
    expect(damaged((copy) => copy.writeUInt32LE(380, 80))).toThrow('not multiples of what it computes with');
    expect(damaged((copy) => copy.writeDoubleLE(1e12, 64))).toThrow('a section that lies outside of it');
    damaged(() => {});
    truncateSync(path, 1000);
    expect(() => new PackedEncoder(path, library)).toThrow('encoder.bin has 1000 bytes where its head says');
  });
});

describe('an encoder', () => {
  const { onnx } = onnxProto;
  const whole = readFileSync(join(DEFAULT_MODEL, 'onnx/model_quantized.onnx'));

  /** What becomes of the default model's encoder after a change. */
  function pack(change: (model: onnxProto.onnx.ModelProto) => void = () => {}): Uint8Array | undefined {
    const model = onnx.ModelProto.decode(whole);
    change(model);
    const graph = new Graph(onnx.ModelProto.encode(model).finish());
    return packEncoder(graph, 'inputs_embeds', 'last_hidden_state', [], 512);
  }
  const constant = (model: onnxProto.onnx.ModelProto, name: string) =>
    model.graph!.initializer!.find((tensor) => tensor.name === name)!;

  test('of the kind that the engine computes is packed, its weights where a cache line begins', () => {
    const bytes = pack()!;
    const [, , , weights] = readSections(bytes, ENCODER, 'encoder.bin');
    expect((weights!.byteOffset - bytes.byteOffset) % 64).toBe(0);
    expect(weights!.length).toBe(12 * (4 * 384 * 384 + 2 * 384 * 1536));
  });

  test.each<[string, (model: onnxProto.onnx.ModelProto) => void]>([
    [
      'weights of 8 bits',
      (model) => {
        constant(model, 'l3.fi.w').rawData![5] = 65;
      },
    ],
    [
      'a zero point',
      (model) => {
        constant(model, 'l0.qkv.z').rawData![0] = 1;
      },
    ],
    [
      'another activation',
      (model) => {
        model.graph!.node!.find(({ opType }) => opType === 'Gelu')!.opType = 'FastGelu';
      },
    ],
    [
      'a norm that adds another layer’s result',
      (model) => {
        model.graph!.node!.findLast(({ opType }) => opType === 'SkipLayerNormalization')!.input![0] = 't1_0';
      },
    ],
    [
      'attention to earlier tokens alone',
      (model) => {
        const attention = model.graph!.node!.find(({ opType }) => opType === 'QAttention')!;
        attention.attribute!.push(onnx.AttributeProto.create({ name: 'unidirectional', type: 2, i: 1 }));
      },
    ],
    [
      'heads that differ between layers',
      (model) => {
        const attention = model.graph!.node!.findLast(({ opType }) => opType === 'QAttention')!;
        attention.attribute!.find(({ name }) => name === 'num_heads')!.i = 6;
      },
    ],
    [
      'a bias in a norm',
      (model) => {
        model.graph!.node!.find(({ opType }) => opType === 'SkipLayerNormalization')!.input!.push('l0.ao.b');
      },
    ],
    [
      'epsilons that differ',
      (model) => {
        const norm = model.graph!.node!.findLast(({ opType }) => opType === 'SkipLayerNormalization')!;
        norm.attribute!.find(({ name }) => name === 'epsilon')!.f = 0.1;
      },
    ],
  ])('with %s is not', (_, change) => {
    expect(pack(change)).toBeUndefined();
  });
});
