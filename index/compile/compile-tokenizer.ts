import { writeSections } from '../format/container.ts';
import { type SpecialToken, TOKENIZER } from '../format/tokenizer-file.ts';
import { buildDoubleArray } from './trie-builder.ts';

interface Normalizer {
  type: string;
  precompiled_charsmap?: string;
}

/** The parts of a `tokenizer.json` (the format of Hugging Face's tokenizers) that a Unigram model uses. */
export interface TokenizerJson {
  added_tokens: SpecialToken[];
  normalizer: (Normalizer & { normalizers?: Normalizer[] }) | null;
  pre_tokenizer: { type: string; pretokenizers?: { type: string }[] } | null;
  model: { type: string; unk_id: number; vocab: [piece: string, score: number][] };
}

/** Supported normalizers: the character map, and others that splitting at white space makes redundant. */
const NORMALIZERS = ['Precompiled', 'Strip', 'Replace'];

/**
 * Compiles a `tokenizer.json` into the bytes of `tokenizer.bin`.
 * @throws if it is not a Unigram tokenizer with a precompiled character map, split at white space
 */
export function compileTokenizer(json: TokenizerJson): Uint8Array {
  const { added_tokens: added, normalizer, pre_tokenizer: pre, model } = json;
  const normalizers = normalizer?.normalizers ?? (normalizer ? [normalizer] : []);
  const map = normalizers.find((part) => part.precompiled_charsmap);
  const steps = pre?.pretokenizers ?? (pre ? [pre] : []);
  if (
    model.type !== 'Unigram' ||
    !map?.precompiled_charsmap ||
    !normalizers.every(({ type }) => NORMALIZERS.includes(type)) ||
    !steps.some(({ type }) => type === 'Metaspace')
  ) {
    const types = (parts: { type: string }[]) => parts.map(({ type }) => type).join(' and ') || 'none';
    throw new Error(
      `tokenizer.json is ${model.type} with normalizer ${types(normalizers)} and pre-tokenizer ${types(steps)}, but polyseek requires ` +
        'Unigram with Precompiled and Metaspace. Choose such a model, for example XLM-R or multilingual E5.',
    );
  }
  const charsmap = Buffer.from(map.precompiled_charsmap, 'base64');
  const mapTrieBytes = charsmap.readUInt32LE(0);
  const mapTrie = charsmap.subarray(4, 4 + mapTrieBytes);
  const replacements = charsmap.subarray(4 + mapTrieBytes);

  const pieces = model.vocab
    .map(([piece], id) => ({ bytes: Buffer.from(piece), id }))
    .filter(({ bytes }) => bytes.length > 0)
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  const trie = buildDoubleArray(
    pieces.map(({ bytes }) => bytes),
    pieces.map(({ id }) => id),
  );
  const scores = Float32Array.from(model.vocab, ([, score]) => score);

  const idOf = (content: string): number => {
    const token = added.find((candidate) => candidate.content === content);
    if (!token) throw new Error(`tokenizer.json has no ${content} token. Choose a model that has one.`);
    return token.id;
  };
  const settings = new DataView(new ArrayBuffer(16));
  settings.setUint32(0, idOf('<s>'), true);
  settings.setUint32(4, idOf('</s>'), true);
  settings.setUint32(8, model.unk_id, true);
  settings.setFloat32(
    12,
    scores.reduce((least, score) => Math.min(least, score), 0),
    true,
  );

  // Longest first, because a token must not match before a longer token with the same prefix.
  const special = added
    .map(({ id, content, lstrip }): SpecialToken => ({ id, content, lstrip }))
    .sort((a, b) => b.content.length - a.content.length);
  return writeSections(TOKENIZER, [
    new Uint8Array(settings.buffer),
    Buffer.from(JSON.stringify(special)),
    mapTrie,
    replacements,
    new Uint8Array(trie.buffer, trie.byteOffset, trie.byteLength),
    new Uint8Array(scores.buffer),
  ]);
}
