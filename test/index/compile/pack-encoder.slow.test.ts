import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { describe, expect, test } from 'vitest';
import { DEFAULT_MODEL } from '../../../index/compile/compile.ts';
import { Graph } from '../../../index/compile/onnx-graph.ts';
import { packEncoder } from '../../../index/compile/pack-encoder.ts';
import { ENCODER } from '../../../index/embedding/encoder.ts';
import { readSections } from '../../../index/format/container.ts';

describe('an encoder', () => {
  const { onnx } = onnxProto;
  const whole = readFileSync(join(DEFAULT_MODEL, 'onnx/model_quantized.onnx'));

  /** Packs the default model's encoder after a change. */
  function pack(change: (model: onnxProto.onnx.ModelProto) => void = () => {}): Uint8Array | undefined {
    const model = onnx.ModelProto.decode(whole);
    change(model);
    const graph = new Graph(onnx.ModelProto.encode(model).finish());
    return packEncoder(graph, 'inputs_embeds', 'last_hidden_state', [], 512);
  }
  const constant = (model: onnxProto.onnx.ModelProto, name: string) =>
    model.graph!.initializer!.find((tensor) => tensor.name === name)!;

  test('of a supported structure is packed, with weights aligned to cache lines', () => {
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
      'a residual connection from another layer',
      (model) => {
        model.graph!.node!.findLast(({ opType }) => opType === 'SkipLayerNormalization')!.input![0] = 't1_0';
      },
    ],
    [
      'causal attention',
      (model) => {
        const attention = model.graph!.node!.find(({ opType }) => opType === 'QAttention')!;
        attention.attribute!.push(onnx.AttributeProto.create({ name: 'unidirectional', type: 2, i: 1 }));
      },
    ],
    [
      'a different number of heads per layer',
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
      'different epsilons',
      (model) => {
        const norm = model.graph!.node!.findLast(({ opType }) => opType === 'SkipLayerNormalization')!;
        norm.attribute!.find(({ name }) => name === 'epsilon')!.f = 0.1;
      },
    ],
  ])('with %s is not packed', (_, change) => {
    expect(pack(change)).toBeUndefined();
  });
});
