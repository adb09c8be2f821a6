import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { afterAll, expect, test } from 'vitest';
import { compileModel } from '../../../index/compile/compile.ts';
import type { Int8Rows } from '../../fixtures/models/graph-builder.ts';
import { type ModelFiles, tinyModel, tinyTokenizer, writeModel } from '../../fixtures/models/tiny-model.ts';

const { onnx } = onnxProto;
const into = mkdtempSync(join(tmpdir(), 'polyseek-compiled-'));
afterAll(() => rmSync(into, { recursive: true }));

const tiny = tinyModel();
const config = tiny['config.json'] as object;

/** A valid model with some files changed. */
const changed = (files: ModelFiles): ModelFiles => ({ ...tiny, ...files });

function tokenizer(change: (json: ReturnType<typeof tinyTokenizer>) => void): ModelFiles {
  const json = tinyTokenizer();
  change(json);
  return changed({ 'tokenizer.json': json });
}

/** A model whose only node returns its input ids. */
const noLookUp = onnx.ModelProto.encode(
  onnx.ModelProto.create({
    opsetImport: [{ domain: '', version: 14 }],
    graph: { node: [{ opType: 'Identity', input: ['input_ids'], output: ['last_hidden_state'] }] },
  }),
).finish();

const perRow: Int8Rows = { type: 'uint8', dequantize: 'before', perRow: true };

test.each<{ name: string; files: ModelFiles; message: RegExp }>([
  {
    name: 'a DistilBERT',
    files: changed({ 'config.json': { ...config, model_type: 'distilbert' } }),
    message:
      /has a model of type distilbert with absolute positions, but polyseek supports bert, roberta and xlm-roberta with absolute positions\. Choose/,
  },
  {
    name: 'a T5',
    files: changed({ 'config.json': { ...config, model_type: 't5' } }),
    message: /has a model of type t5 with/,
  },
  {
    name: 'a model without a type',
    files: changed({ 'config.json': { hidden_size: 64 } }),
    message: /has a model of type \(none\) with/,
  },
  {
    name: 'relative positions',
    files: changed({ 'config.json': { ...config, position_embedding_type: 'relative_key' } }),
    message: /has a model of type bert with relative_key positions, but polyseek supports/,
  },
  {
    name: 'a size that differs from the rows',
    files: changed({ 'config.json': { ...config, hidden_size: 128 } }),
    message:
      /^The word rows have 64 numbers, but config\.json has hidden_size 128\. Use the config\.json of this model\.$/,
  },
  {
    name: 'a config.json that is not JSON',
    files: changed({ 'config.json': '{"model_type":' }),
    message: /config\.json is not JSON \(.+\)\. Download the model again\.$/,
  },
  {
    name: 'a tokenizer.json that is not JSON',
    files: changed({ 'tokenizer.json': 'version https://git-lfs.github.com/spec/v1' }),
    message: /tokenizer\.json is not JSON \(.+\)\. Download the model again\.$/,
  },
  {
    name: 'no tokenizer.json',
    files: changed({ 'tokenizer.json': undefined }),
    message:
      /has no tokenizer\.json\. A model folder needs config\.json, tokenizer\.json and onnx\/model_quantized\.onnx/,
  },
  {
    name: 'no weights',
    files: changed({ 'onnx/model_quantized.onnx': undefined }),
    message: /has no onnx\/model\.onnx\. A model folder needs/,
  },
  {
    name: 'first-token pooling',
    files: changed({
      '1_Pooling/config.json': { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false },
    }),
    message: /does not use mean pooling \(1_Pooling\/config\.json\), but polyseek does\. Choose/,
  },
  {
    name: 'a WordPiece tokenizer',
    files: tokenizer((json) => {
      json.model = { type: 'WordPiece', unk_token: '[UNK]', vocab: { '[UNK]': 0 } };
      json.normalizer = { type: 'BertNormalizer', lowercase: true };
      json.pre_tokenizer = { type: 'BertPreTokenizer' };
    }),
    message:
      /^tokenizer\.json is WordPiece with normalizer BertNormalizer and pre-tokenizer BertPreTokenizer, but polyseek requires Unigram with/,
  },
  {
    name: 'a tokenizer that lower-cases',
    files: tokenizer((json) => {
      json.normalizer = { type: 'Sequence', normalizers: [json.normalizer, { type: 'Lowercase' }] };
    }),
    message: /^tokenizer\.json is Unigram with normalizer Precompiled and Lowercase and pre-tokenizer/,
  },
  {
    name: 'a tokenizer without a normalizer and a pre-tokenizer',
    files: tokenizer((json) => {
      json.normalizer = null;
      json.pre_tokenizer = null;
    }),
    message: /^tokenizer\.json is Unigram with normalizer none and pre-tokenizer none, but/,
  },
  {
    name: 'a tokenizer without an end token',
    files: tokenizer((json) => {
      json.added_tokens = json.added_tokens.filter(({ content }: { content: string }) => content !== '</s>');
    }),
    message: /^tokenizer\.json has no <\/s> token\. Choose a model that has one\.$/,
  },
  {
    name: 'one scale per row',
    files: tinyModel({ rows: perRow }),
    message: /^The int8 rows have 401 scales, but polyseek requires one for all\. Export the model again\.$/,
  },
  {
    name: 'external weights',
    files: tinyModel({ external: true }),
    message: /^The weights word are not inside the ONNX file\. Export the model as one file\.$/,
  },
  {
    name: 'no lookups',
    files: changed({ 'onnx/model_quantized.onnx': noLookUp }),
    message:
      /^The model has 0 lookups by input_ids and 0 by position, but polyseek requires at least one of each\. Export it/,
  },
  {
    name: 'a prefix as long as the model’s window',
    files: changed({ 'config_sentence_transformers.json': { prompts: { query: 'la '.repeat(62) } } }),
    message:
      /^The query prefix has 64 tokens, but .+ takes 64, so none are left for a text\. Use a shorter prefix\.$/,
  },
])('refuses $name, and leaves no files', ({ files, message }) => {
  const source = writeModel(files);
  try {
    expect(() => compileModel(source, { into })).toThrow(message);
    expect(readdirSync(into)).toEqual([]);
  } finally {
    rmSync(source, { recursive: true });
  }
});
