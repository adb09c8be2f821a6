import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compileModel } from '../../../index/compile/compile.ts';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { dot, ReferenceModel } from '../../fixtures/models/reference-model.ts';
import { POSITIONS, type TinyBert, tinyBert } from '../../fixtures/models/tiny-bert.ts';
import { tinyModel, VOCABULARY, writeModel } from '../../fixtures/models/tiny-model.ts';

const TEXTS = [
  'a',
  'the end of the day',
  'und die See ist in der',
  'на да по от не',
  'one two three four five six seven eight nine ten eleven twelve',
];

const into = mkdtempSync(join(tmpdir(), 'polyseek-compiled-'));
afterAll(() => rmSync(into, { recursive: true }));

interface Variant {
  name: string;
  options: TinyBert;
  /** The lowest expected cosine with the reference. */
  near?: number;
}

const variants: Variant[] = [
  { name: 'fp32', options: {} },
  { name: 'opset 18', options: { opset: 18 } },
  { name: 'fp16 word rows', options: { rows: 'fp16' } },
  { name: '4-bit word rows', options: { rows: 'q4' } },
  {
    name: 'uint8, floats after the lookup',
    options: { rows: { type: 'uint8', dequantize: 'after', zero: 131 } },
  },
  {
    name: 'int8, floats after the lookup',
    options: { rows: { type: 'int8', dequantize: 'after', zero: -7 } },
  },
  {
    name: 'uint8, floats before the lookup',
    options: { rows: { type: 'uint8', dequantize: 'before', zero: 100 } },
  },
  {
    name: 'int8, floats before the lookup',
    options: { rows: { type: 'int8', dequantize: 'before', zero: 5 } },
  },
  { name: 'int8 without a zero point', options: { rows: { type: 'int8', dequantize: 'before' } } },
  { name: 'all fp16', options: { half: true }, near: 0.999 },
  { name: 'all fp16 with a float output', options: { half: true, castOutput: true }, near: 0.999 },
  { name: 'no token types', options: { types: false } },
  { name: 'RoBERTa positions', options: { roberta: true } },
  { name: 'RoBERTa positions, 4-bit word rows', options: { roberta: true, rows: 'q4' } },
  {
    name: 'RoBERTa positions, no token types, all fp16',
    options: { roberta: true, types: false, half: true },
    near: 0.999,
  },
];

test.each(variants)(
  'returns the vectors of the original model: $name',
  async ({ options, near = 0.9999 }) => {
    const source = writeModel(tinyModel(options));
    // onnxruntime-node cannot return float16.
    const reference = await ReferenceModel.open(tinyBert(VOCABULARY, { ...options, castOutput: true }));
    try {
      const embedder = await Embedder.open(compileModel(source, { into }), { verify: true });
      expect(embedder.model).toMatchObject({
        name: 'tiny',
        dimensions: 64,
        maxTokens: POSITIONS,
        neutral: null,
      });
      const vectors = [];
      for (const text of TEXTS) {
        const ids = embedder.ids(text);
        expect(ids.length).toBeLessThanOrEqual(POSITIONS);
        const vector = await embedder.embed(text);
        expect(dot(vector, await reference.vector(ids))).toBeGreaterThan(near);
        vectors.push(vector);
      }
      // The reference vectors differ between texts, so that agreement is meaningful.
      for (const [i, one] of vectors.entries())
        for (const other of vectors.slice(i + 1)) expect(dot(one, other)).toBeLessThan(0.99);
    } finally {
      rmSync(source, { recursive: true });
    }
  },
);
