import { writeSections } from '../format/container.ts';
import { ENCODER } from '../format/encoder-file.ts';
import { FLOAT, type Graph, INT8, type Node, type Tensor } from './onnx-graph.ts';

/** Outputs that lie together in packed weights, and inputs of each that do. */
const BLOCK = 16;
const GROUP = 4;
/** The largest weight: on processors that add pairs of products in 16 bits, larger ones would overflow. */
const LARGEST = 64;
/** Where packed weights start in the file is a multiple of this: a cache line. */
const ALIGNMENT = 64;

/** A matrix product with 8-bit weights, `inputs * outputs` row by row, and what its result is multiplied with and added to. */
interface Dense {
  inputs: number;
  outputs: number;
  weights: Int8Array;
  scales: Float32Array;
  bias: Float32Array;
}

/**
 * Packs an encoder for the engine of `embedding/native`, if it is of the kind that this computes: BERT layers that are fused and whose
 * weights have 8 bits (QAttention, DynamicQuantizeMatMul, SkipLayerNormalization and Gelu of ONNX Runtime's own operators).
 * @param rows the tensor that holds the sum of the rows
 * @param states the tensor that holds the last layer's result
 * @param axes language axes
 * @returns the bytes of an `encoder.bin`; undefined for an encoder of any other kind
 */
export function packEncoder(
  graph: Graph,
  rows: string,
  states: string,
  axes: readonly (readonly number[])[],
  maxTokens: number,
): Uint8Array | undefined {
  try {
    return new Packer(graph, rows).pack(states, axes, maxTokens);
  } catch (error) {
    if (error instanceof OtherKind) return undefined;
    throw error;
  }
}

/** Thrown where an encoder is not of the kind that can be packed. */
class OtherKind extends Error {}

/** Goes through an encoder from node to node and collects what it meets. */
class Packer {
  readonly #graph: Graph;
  readonly #users = new Map<string, Node[]>();
  readonly #floats: Float32Array[] = [];
  readonly #sums: Int32Array[] = [];
  readonly #weights: Int8Array[] = [];
  #at: string;
  #epsilon: number | undefined;

  constructor(graph: Graph, rows: string) {
    this.#graph = graph;
    this.#at = rows;
    for (const node of graph.nodes)
      for (const name of new Set(node.input)) this.#users.set(name, [...(this.#users.get(name) ?? []), node]);
  }

  pack(states: string, axes: readonly (readonly number[])[], maxTokens: number): Uint8Array {
    const columns = this.#norm(this.#next('LayerNormalization'), 1);
    let [layers, heads, inner] = [0, 0, 0];
    while (this.#resultOf(this.#at) !== states) {
      const before = this.#at;
      const smooth = this.#smooth(columns);
      this.#quantized();
      const attention = this.#next('QAttention');
      heads = this.#same(heads, headsOf(attention));
      this.#keep(smooth, this.#attention(attention, columns));
      this.#keep(this.#smooth(columns), this.#dense(this.#next('DynamicQuantizeMatMul')));
      this.#skip(before, columns);
      const between = this.#at;
      const widening = this.#smooth(columns);
      const wide = this.#dense(this.#next('DynamicQuantizeMatMul'));
      this.#keep(widening, wide);
      inner = this.#same(inner, wide.outputs);
      this.#next('Gelu');
      this.#keep(this.#smooth(inner), this.#dense(this.#next('DynamicQuantizeMatMul')));
      this.#skip(between, columns);
      layers++;
    }
    // What the engine computes at a time.
    if (layers === 0 || heads === 0 || columns % 64 !== 0 || inner % 64 !== 0 || columns % (32 * heads) !== 0)
      throw new OtherKind();
    const floats = join([...this.#floats, ...axes.map((axis) => Float32Array.from(axis))]);
    const sums = join(this.#sums);
    const settings = new DataView(new ArrayBuffer(32));
    [columns, layers, heads, inner, axes.length, maxTokens].forEach((value, i) => {
      settings.setUint32(4 * i, value, true);
    });
    settings.setFloat32(24, this.#epsilon!, true);
    const head = 16 + 16 * ENCODER.sections + settings.byteLength;
    const gap = -(head + Math.ceil(floats.length / 8) * 8 + sums.length) & (ALIGNMENT - 1);
    return writeSections(ENCODER, [
      new Uint8Array(settings.buffer),
      floats,
      join([sums, new Uint8Array(gap)]),
      join(this.#weights),
    ]);
  }

  /** A number that all layers must have alike; `before` is 0 in the first. */
  #same(before: number, now: number): number {
    if (before !== 0 && before !== now) throw new OtherKind();
    return now;
  }

  /** The one node that uses the tensor where this stands, which then stands at its first output. */
  #next(opType: string): Node {
    const node = this.#users.get(this.#at)?.find((user) => user.opType === opType);
    if (!node) throw new OtherKind();
    this.#at = node.output![0]!;
    return node;
  }

  /** A tensor behind those that change nothing. */
  #resultOf(name: string): string {
    const same = this.#users.get(name)?.find((user) => user.opType === 'Identity');
    return same ? this.#resultOf(same.output![0]!) : name;
  }

  /** What numbers are multiplied with before they are quantized; ones where they are not. */
  #smooth(columns: number): Float32Array {
    const node = this.#users.get(this.#at)?.find((user) => user.opType === 'Mul');
    if (!node) return new Float32Array(columns).fill(1);
    const factor = node.input!.find((name) => name !== this.#at)!;
    this.#at = node.output![0]!;
    return this.#floatsOf(factor, columns);
  }

  #quantized(): void {
    this.#next('DynamicQuantizeLinear');
  }

  #attention({ input }: Node, columns: number): Dense {
    const names = input ?? [];
    // input, weight, bias, input_scale, weight_scale, mask_index, input_zero_point, weight_zero_point
    return this.#product(names[1]!, names[4]!, names[7], names[2], columns);
  }

  #dense({ input }: Node): Dense {
    const names = input ?? [];
    // A, B, b_scale, b_zero_point, bias
    return this.#product(names[1]!, names[2]!, names[3], names[4]);
  }

  #product(weight: string, scale: string, zero = '', bias = '', inputs?: number): Dense {
    const tensor = this.#constant(weight, INT8);
    const [rows, outputs] = tensor.dims!.map(Number) as [number, number];
    const weights = new Int8Array(Uint8Array.from(tensor.rawData!).buffer);
    const scales = this.#floatsOf(scale);
    const zeros = zero === '' ? [] : this.#constant(zero, INT8).rawData!;
    if (
      (inputs !== undefined && rows !== inputs) ||
      rows % BLOCK !== 0 ||
      (scales.length !== 1 && scales.length !== outputs) ||
      outputs % (2 * BLOCK) !== 0 ||
      zeros.some((value) => value !== 0) ||
      weights.some((value) => Math.abs(value) > LARGEST)
    )
      throw new OtherKind();
    return {
      inputs: rows,
      outputs,
      weights,
      scales: scales.length === 1 ? new Float32Array(outputs).fill(scales[0]!) : scales,
      bias: bias === '' ? new Float32Array(outputs) : this.#floatsOf(bias, outputs),
    };
  }

  /** Keeps what `read` in `native/model.h` takes for a product, in its order. */
  #keep(smooth: Float32Array, { inputs, outputs, weights, scales, bias }: Dense): void {
    if (smooth.length !== inputs) throw new OtherKind();
    this.#floats.push(smooth, scales, bias);
    const sums = new Int32Array(outputs);
    weights.forEach((value, i) => {
      sums[i % outputs]! += value;
    });
    this.#sums.push(sums);
    this.#weights.push(packed(weights, inputs, outputs));
  }

  /** A norm after what was before is added; both must meet in it. */
  #skip(before: string, columns: number): void {
    const node = this.#next('SkipLayerNormalization');
    const [first, second] = node.input!;
    // A fifth input is a bias, which exporters keep in the product before.
    if ((first !== before && second !== before) || node.input![4]) throw new OtherKind();
    if (this.#norm(node, 2) !== columns) throw new OtherKind();
  }

  #norm(node: Node, first: number): number {
    const epsilon = attribute(node, 'epsilon')?.f ?? (node.opType === 'LayerNormalization' ? 1e-5 : 1e-12);
    if (this.#epsilon !== undefined && this.#epsilon !== epsilon) throw new OtherKind();
    this.#epsilon = epsilon;
    const [weight, bias] = node.input!.slice(first);
    const values = this.#floatsOf(weight!);
    this.#floats.push(values, this.#floatsOf(bias!, values.length));
    return values.length;
  }

  #constant(name: string, type: number): Tensor {
    const tensor = this.#graph.constant(name);
    if (tensor?.dataType !== type || !tensor.rawData) throw new OtherKind();
    return tensor;
  }

  #floatsOf(name: string, length?: number): Float32Array {
    const bytes = Uint8Array.from(this.#constant(name, FLOAT).rawData!);
    const values = new Float32Array(bytes.buffer);
    if (length !== undefined && values.length !== length) throw new OtherKind();
    return values;
  }
}

/** The heads of an attention of every token to all others, which has nothing else to set. */
function headsOf({ input, attribute: attributes }: Node): number {
  const set = (attributes ?? []).filter(
    ({ name, i }) =>
      name !== 'num_heads' && name !== 'mask_filter_value' && !(name === 'unidirectional' && !Number(i)),
  );
  // What came before the text is the ninth input.
  if (set.length > 0 || input?.[8]) throw new OtherKind();
  return Number(attributes?.find(({ name }) => name === 'num_heads')?.i ?? 0);
}

function attribute(node: Node, name: string) {
  return node.attribute?.find((candidate) => candidate.name === name);
}

/** Weights in the order in which the engine reads them: for each 16 outputs, for each 4 inputs, 4 bytes of each of the outputs. */
function packed(weights: Int8Array, inputs: number, outputs: number): Int8Array {
  const out = new Int8Array(weights.length);
  let at = 0;
  for (let block = 0; block < outputs; block += BLOCK)
    for (let group = 0; group < inputs; group += GROUP)
      for (let n = block; n < block + BLOCK; n++)
        for (let k = group; k < group + GROUP; k++) out[at++] = weights[k * outputs + n]!;
  return out;
}

/** The bytes of several arrays, one behind the other. */
function join(parts: readonly (Float32Array | Int32Array | Int8Array | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    parts.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
  );
}
