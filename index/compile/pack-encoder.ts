import { ENCODER } from '../embedding/encoder.ts';
import { bytesOf, writeSections } from '../format/container.ts';
import { FLOAT, type Graph, INT8, type Node, type Tensor } from './onnx-graph.ts';

/** Packed weights are stored in blocks of 16 outputs, in groups of 4 inputs. */
const BLOCK = 16;
const GROUP = 4;
/** Larger weights would overflow on processors that add pairs of products in 16 bits. */
const MAX_WEIGHT = 64;
/** Packed weights start at a multiple of a cache line in the file. */
const ALIGNMENT = 64;

/**
 * Packs an encoder for the project's own engine (`engine/native`), which supports fused BERT layers with 8-bit weights: ONNX Runtime's
 * operators QAttention, DynamicQuantizeMatMul, SkipLayerNormalization and Gelu.
 * @param rows name of the tensor with the sum of the rows
 * @param states name of the tensor with the last layer's output
 * @returns the bytes of `encoder.bin`, or undefined for an unsupported encoder
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
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

class Unsupported extends Error {}

/** Walks through an encoder from node to node and collects its constants. */
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
      heads = this.#same(heads, this.#attention(columns));
      this.#dense(columns);
      this.#skip(before, columns);
      const between = this.#at;
      inner = this.#same(inner, this.#dense(columns));
      this.#next('Gelu');
      this.#dense(inner);
      this.#skip(between, columns);
      layers++;
    }
    // The engine computes this many numbers at once.
    if (layers === 0 || heads === 0 || columns % 64 !== 0 || inner % 64 !== 0 || columns % (32 * heads) !== 0)
      throw new Unsupported();
    const floats = join([...this.#floats, ...axes.map((axis) => Float32Array.from(axis))]);
    const sums = join(this.#sums);
    const settings = new DataView(new ArrayBuffer(32));
    [columns, layers, heads, inner, axes.length, maxTokens].forEach((value, i) => {
      settings.setUint32(4 * i, value, true);
    });
    settings.setFloat32(24, this.#epsilon!, true);
    const head = 16 + 16 * ENCODER.sections + settings.byteLength;
    const gap = -(head + Math.ceil(floats.length / 8) * 8 + sums.length) & (ALIGNMENT - 1);
    return writeSections(ENCODER, [settings, floats, join([sums, new Uint8Array(gap)]), join(this.#weights)]);
  }

  /** Checks that a number is the same in all layers; `before` is 0 in the first. */
  #same(before: number, now: number): number {
    if (before !== 0 && before !== now) throw new Unsupported();
    return now;
  }

  /** Moves to the node that uses the current tensor. Its first output becomes the current tensor. */
  #next(opType: string): Node {
    const node = this.#users.get(this.#at)?.find((user) => user.opType === opType);
    if (!node) throw new Unsupported();
    this.#at = node.output![0]!;
    return node;
  }

  #resultOf(name: string): string {
    const same = this.#users.get(name)?.find((user) => user.opType === 'Identity');
    return same ? this.#resultOf(same.output![0]!) : name;
  }

  /** The factors before quantization. All ones if the layer has none. */
  #smooth(columns: number): Float32Array {
    const node = this.#users.get(this.#at)?.find((user) => user.opType === 'Mul');
    if (!node) return new Float32Array(columns).fill(1);
    const factor = node.input!.find((name) => name !== this.#at)!;
    this.#at = node.output![0]!;
    return this.#floatsOf(factor, columns);
  }

  /** Collects the product of an attention. Returns the number of heads. */
  #attention(columns: number): number {
    const smooth = this.#smooth(columns);
    this.#next('DynamicQuantizeLinear');
    const attention = this.#next('QAttention');
    // input, weight, bias, input_scale, weight_scale, mask_index, input_zero_point, weight_zero_point
    const names = attention.input!;
    this.#product(smooth, names[1]!, names[4]!, names[7], names[2]);
    return headsOf(attention);
  }

  /** Collects a linear layer. Returns the number of its outputs. */
  #dense(columns: number): number {
    const smooth = this.#smooth(columns);
    // A, B, b_scale, b_zero_point, bias
    const names = this.#next('DynamicQuantizeMatMul').input!;
    return this.#product(smooth, names[1]!, names[2]!, names[3], names[4]);
  }

  /**
   * Collects a product's constants in the order of `readModel` in `engine/native/model.h`. The weights are 8-bit, `inputs * outputs`, row
   * by row. Returns the number of outputs.
   */
  #product(smooth: Float32Array, weight: string, scale: string, zero = '', bias = ''): number {
    const tensor = this.#constant(weight, INT8);
    const [inputs, outputs] = tensor.dims!.map(Number) as [number, number];
    const weights = new Int8Array(Uint8Array.from(tensor.rawData!).buffer);
    const scales = this.#floatsOf(scale);
    const zeros = zero === '' ? [] : this.#constant(zero, INT8).rawData!;
    if (
      smooth.length !== inputs ||
      inputs % BLOCK !== 0 ||
      (scales.length !== 1 && scales.length !== outputs) ||
      outputs % (2 * BLOCK) !== 0 ||
      zeros.some((value) => value !== 0) ||
      weights.some((value) => Math.abs(value) > MAX_WEIGHT)
    )
      throw new Unsupported();
    this.#floats.push(
      smooth,
      scales.length === 1 ? new Float32Array(outputs).fill(scales[0]!) : scales,
      bias === '' ? new Float32Array(outputs) : this.#floatsOf(bias, outputs),
    );
    const sums = new Int32Array(outputs);
    weights.forEach((value, i) => {
      sums[i % outputs]! += value;
    });
    this.#sums.push(sums);
    this.#weights.push(packed(weights, inputs, outputs));
    return outputs;
  }

  /** The residual connection from `before`, and the normalization after it. */
  #skip(before: string, columns: number): void {
    const node = this.#next('SkipLayerNormalization');
    const [first, second] = node.input!;
    // A fifth input would be a bias, which exporters put into the product before.
    if ((first !== before && second !== before) || node.input![4]) throw new Unsupported();
    if (this.#norm(node, 2) !== columns) throw new Unsupported();
  }

  #norm(node: Node, first: number): number {
    const epsilon = attribute(node, 'epsilon')?.f ?? (node.opType === 'LayerNormalization' ? 1e-5 : 1e-12);
    if (this.#epsilon !== undefined && this.#epsilon !== epsilon) throw new Unsupported();
    this.#epsilon = epsilon;
    const [weight, bias] = node.input!.slice(first);
    const values = this.#floatsOf(weight!);
    this.#floats.push(values, this.#floatsOf(bias!, values.length));
    return values.length;
  }

  #constant(name: string, type: number): Tensor {
    const tensor = this.#graph.constants.get(name);
    if (tensor?.dataType !== type || !tensor.rawData) throw new Unsupported();
    return tensor;
  }

  #floatsOf(name: string, length?: number): Float32Array {
    const bytes = Uint8Array.from(this.#constant(name, FLOAT).rawData!);
    const values = new Float32Array(bytes.buffer);
    if (length !== undefined && values.length !== length) throw new Unsupported();
    return values;
  }
}

/** The number of heads. Other settings and inputs of the attention are unsupported. */
function headsOf({ input, attribute: attributes }: Node): number {
  const set = (attributes ?? []).filter(
    ({ name, i }) =>
      name !== 'num_heads' && name !== 'mask_filter_value' && !(name === 'unidirectional' && !Number(i)),
  );
  // The ninth input is the state before the text.
  if (set.length > 0 || input?.[8]) throw new Unsupported();
  return Number(attributes?.find(({ name }) => name === 'num_heads')?.i ?? 0);
}

function attribute(node: Node, name: string) {
  return node.attribute?.find((candidate) => candidate.name === name);
}

/** Weights in the order in which the engine reads them: per 16 outputs, per 4 inputs, 4 bytes of each output. */
function packed(weights: Int8Array, inputs: number, outputs: number): Int8Array {
  const out = new Int8Array(weights.length);
  let at = 0;
  for (let block = 0; block < outputs; block += BLOCK)
    for (let group = 0; group < inputs; group += GROUP)
      for (let n = block; n < block + BLOCK; n++)
        for (let k = group; k < group + GROUP; k++) out[at++] = weights[k * outputs + n]!;
  return out;
}

const join = (parts: readonly ArrayBufferView[]): Uint8Array => Buffer.concat(parts.map(bytesOf));
