import { writeSections } from '../format/container.ts';
import { type SpecialToken, TOKENIZER } from '../format/tokenizer-file.ts';

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
  const keys = pieces.map(({ bytes }) => bytes);
  const ids = pieces.map(({ id }) => id);
  const trie = buildDoubleArray(keys, ids);
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
  const lowest = scores.reduce((least, score) => Math.min(least, score), 0);
  settings.setFloat32(12, lowest, true);

  // Longest first, because a token must not match before a longer token with the same prefix.
  const special = added
    .map(({ id, content, lstrip }): SpecialToken => ({ id, content, lstrip }))
    .sort((a, b) => b.content.length - a.content.length);
  return writeSections(TOKENIZER, [
    settings,
    Buffer.from(JSON.stringify(special)),
    mapTrie,
    replacements,
    trie,
    scores,
  ]);
}

/** Only this many of the newest units are searched for a free slot. Ignoring older gaps keeps the build linear in time. */
const OPEN_UNITS = 16 * 256;

/** A unit that no byte leads to. A unit of zero would be a child for byte 0. */
const UNUSED = 0x80000000;

/**
 * Builds the trie that `embedding/double-array.ts` reads and describes.
 * @param keys distinct, non-empty, sorted by their bytes, none containing a zero byte
 * @throws if the keys need more than 2^21 units
 */
export function buildDoubleArray(keys: Uint8Array[], values: number[]): Uint32Array {
  const units = new Uint32Array(1 << 21).fill(UNUSED);
  const taken = new Uint8Array(units.length);
  // Two nodes must not have the same offset: they would share their children.
  const offsets = new Uint8Array(units.length);
  // A linked list of the free units among the open ones, in order. Unit 0, the root, is the list's head and end.
  const next = new Uint32Array(units.length);
  const previous = new Uint32Array(units.length);
  let size = 0;

  const link = (before: number, after: number) => {
    next[before] = after;
    previous[after] = before;
  };
  const addBlock = () => {
    if (size + 256 > units.length) {
      throw new Error(
        `The vocabulary needs more than ${units.length} trie units, the limit of this format. Choose a model with a smaller one.`,
      );
    }
    for (let at = Math.max(1, size); at < size + 256; at++) {
      link(previous[0]!, at);
      link(at, 0);
    }
    size += 256;
    while (next[0]! !== 0 && next[0]! < size - OPEN_UNITS) link(0, next[next[0]!]!);
  };
  const take = (at: number, unit: number) => {
    units[at] = unit;
    taken[at] = 1;
    if (at >= size - OPEN_UNITS) link(previous[at]!, next[at]!);
  };
  const place = (labels: number[]): number => {
    for (let at = next[0]!; at !== 0; at = next[at]!) {
      const base = at ^ labels[0]!;
      if (!offsets[base] && labels.every((label) => !taken[base ^ label])) return base;
    }
    addBlock();
    return size - 256;
  };

  const build = (begin: number, end: number, depth: number, node: number): void => {
    const labels: number[] = [];
    const starts: number[] = [];
    for (let i = begin; i < end; i++) {
      const label = keys[i]![depth] ?? 0;
      if (label !== labels.at(-1)) {
        labels.push(label);
        starts.push(i);
      }
    }
    const base = place(labels);
    offsets[base] = 1;
    units[node] = (units[node]! | ((node ^ base) << 10) | (labels[0] === 0 ? 0x100 : 0)) >>> 0;
    for (const label of labels) take(base ^ label, label === 0 ? (values[begin]! | 0x80000000) >>> 0 : label);
    labels.forEach((label, n) => {
      if (label !== 0) build(starts[n]!, starts[n + 1] ?? end, depth + 1, base ^ label);
    });
  };

  addBlock();
  units[0] = 0;
  taken[0] = 1;
  // With offset 0, byte 0 would lead to the root.
  offsets[0] = 1;
  if (keys.length > 0) build(0, keys.length, 0, 0);
  return units.slice(0, size);
}
