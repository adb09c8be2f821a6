import { createRequire } from 'node:module';
import type onnxProto from 'onnx-proto';
import { bytesOf } from '../format/container.ts';

/** Loads onnx-proto, which only compiling a model requires. In the npm package it is an optional peer. */
function loadOnnx(): typeof onnxProto.onnx {
  return createRequire(import.meta.url)('onnx-proto').onnx;
}

type Model = onnxProto.onnx.ModelProto;
export type Node = onnxProto.onnx.INodeProto;
export type Tensor = onnxProto.onnx.ITensorProto;

/** ONNX element types, by their numbers in the specification. */
export const FLOAT = 1;
export const UINT8 = 2;
export const INT8 = 3;
export const INT64 = 7;
export const FLOAT16 = 10;

/** The data location "in another file", by its number in the specification. */
const EXTERNAL = 1;

/** The file of an encoder's large constants. Each starts at a multiple of a cache line. */
export const WEIGHTS = 'weights.bin';
const ALIGNMENT = 64;

/** Constants with fewer bytes stay in the graph, since ONNX Runtime reads shapes from them. */
const SMALL = 1024;

/** An ONNX graph, with lookups by tensor name: the node that produces it, or its constant. */
export class Graph {
  readonly nodes: Node[];
  readonly opset: number;
  readonly #model: Model;
  readonly #initializers: Tensor[];
  readonly constants = new Map<string, Tensor>();
  readonly producers = new Map<string, Node>();

  /** @throws if its weights are in other files */
  constructor(bytes: Uint8Array) {
    this.#model = loadOnnx().ModelProto.decode(bytes);
    const graph = this.#model.graph;
    if (!graph) throw new Error('The ONNX file contains no graph. Choose a file exported for inference.');
    this.nodes = graph.node ?? [];
    this.opset = Number(this.#model.opsetImport.find((set) => !set.domain)?.version ?? 0);
    this.#initializers = graph.initializer ?? [];
    for (const tensor of this.#initializers) {
      if (tensor.dataLocation === EXTERNAL) {
        throw new Error(
          `The weights ${tensor.name} are not inside the ONNX file. Export the model as one file.`,
        );
      }
      this.constants.set(tensor.name ?? '', tensor);
    }
    for (const node of this.nodes) {
      for (const output of node.output ?? []) this.producers.set(output, node);
      const value = node.attribute?.find((attribute) => attribute.name === 'value')?.t;
      if (node.opType === 'Constant' && value) this.constants.set(node.output![0]!, value);
    }
  }

  outputs(): string[] {
    return (this.#model.graph?.output ?? []).map((output) => output.name ?? '');
  }

  outputType(name: string): number {
    const output = this.#model.graph?.output?.find((candidate) => candidate.name === name);
    return output?.type?.tensorType?.elemType ?? FLOAT;
  }

  /**
   * Encodes a model that computes `outputs` (floats, each with its dimensions) from `input` (float [1, tokens, columns]).
   * @param nodes in execution order. Nodes that no output depends on are dropped
   * @param added constants in addition to those of this graph
   * @returns the ONNX file and its large constants, which ONNX Runtime maps into memory instead of parsing and copying them
   */
  encode(
    nodes: Node[],
    input: string,
    outputs: Record<string, (string | number)[]>,
    columns: number,
    added: Tensor[],
  ): { graph: Uint8Array; weights: Uint8Array } {
    const needed = new Set(Object.keys(outputs));
    const kept: Node[] = [];
    for (let i = nodes.length - 1; i >= 0; i--) {
      const node = nodes[i]!;
      if (!node.output?.some((name) => needed.has(name))) continue;
      for (const name of node.input ?? []) needed.add(name);
      kept.unshift(node);
    }
    const made = new Set(kept.flatMap((node) => node.output ?? []));
    const constants = [...this.#initializers, ...added].filter(
      (tensor) => needed.has(tensor.name ?? '') && !made.has(tensor.name ?? ''),
    );
    const { inline, weights } = moveOut(constants);
    const value = (name: string, dims: (string | number)[]) => ({
      name,
      type: {
        tensorType: {
          elemType: FLOAT,
          shape: {
            dim: dims.map((dim) => (typeof dim === 'string' ? { dimParam: dim } : { dimValue: dim })),
          },
        },
      },
    });
    const onnx = loadOnnx();
    const model = onnx.ModelProto.fromObject({});
    model.irVersion = this.#model.irVersion;
    model.opsetImport = this.#model.opsetImport;
    model.graph = onnx.GraphProto.create({
      name: 'encoder',
      node: kept,
      initializer: inline,
      input: [value(input, [1, 'tokens', columns])],
      output: Object.entries(outputs).map(([name, dims]) => value(name, dims)),
    });
    return { graph: onnx.ModelProto.encode(model).finish(), weights };
  }
}

/** Moves the data of large constants to the weights file, and replaces it by a reference. */
function moveOut(constants: Tensor[]): { inline: Tensor[]; weights: Uint8Array } {
  const parts: Uint8Array[] = [];
  let end = 0;
  const inline = constants.map((tensor): Tensor => {
    const { rawData, ...rest } = tensor;
    if (!rawData || rawData.length < SMALL) return tensor;
    const gap = -end & (ALIGNMENT - 1);
    const offset = end + gap;
    parts.push(new Uint8Array(gap), rawData);
    end = offset + rawData.length;
    const externalData = Object.entries({ location: WEIGHTS, offset, length: rawData.length }).map(
      ([key, value]) => ({ key, value: String(value) }),
    );
    return { ...rest, dataLocation: EXTERNAL, externalData };
  });
  return { inline, weights: Buffer.concat(parts) };
}

export function floats(name: string, dims: number[], values: Float32Array): Tensor {
  return { name, dims, dataType: FLOAT, rawData: bytesOf(values) };
}

export function integers(name: string, values: number[]): Tensor {
  const rawData = bytesOf(BigInt64Array.from(values, BigInt));
  return { name, dims: [values.length], dataType: INT64, rawData };
}

export function node(
  opType: string,
  input: string[],
  output: string[],
  attributes: Record<string, number | number[] | Tensor> = {},
): Node {
  const { AttributeType } = loadOnnx().AttributeProto;
  return {
    opType,
    name: `polyseek/${output[0]}`,
    input,
    output,
    attribute: Object.entries(attributes).map(([name, value]) =>
      typeof value === 'number'
        ? { name, type: AttributeType.INT, i: value }
        : Array.isArray(value)
          ? { name, type: AttributeType.INTS, ints: value }
          : { name, type: AttributeType.TENSOR, t: value },
    ),
  };
}
