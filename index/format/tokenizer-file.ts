import { parseJson } from '../kit/json.ts';
import type { FileChecks } from './checks.ts';
import { damaged, readSections } from './container.ts';
import { isBoolean, isListOf, isShaped, isText, isWhole } from './shapes.ts';

/** `tokenizer.bin`: a Unigram tokenizer. FORMAT.md describes its layout. */
export const TOKENIZER = { magic: 'PSTK', version: 1, sections: 6 } as const;

/** A token that appears literally in a text, such as `</s>`. */
export interface SpecialToken {
  id: number;
  content: string;
  /** Whether it absorbs the white space before it. */
  lstrip: boolean;
}

/** Called before a number of a table, or a byte, is read. Throws if its block of the file is damaged. */
export type Touch = (index: number) => void;

/** The content of a `tokenizer.bin`, as views of its bytes. */
export interface TokenizerParts {
  begin: number;
  end: number;
  unknown: number;
  lowestScore: number;
  special: SpecialToken[];
  mapTrie: Uint32Array;
  replacements: Uint8Array;
  pieceTrie: Uint32Array;
  scores: Float32Array;
  /** For each table, what to call before a read. */
  touch: Record<'mapTrie' | 'replacements' | 'pieceTrie' | 'scores', Touch>;
}

const SETTINGS = 16;

const areSpecialTokens = isListOf(
  isShaped({
    id: isWhole(0, 2 ** 32 - 1),
    content: (value) => isText(value) && value !== '',
    lstrip: isBoolean,
  }),
);

/**
 * Reads a tokenizer. Tries are checked during searches, because a text uses few of their millions of nodes.
 * @param checks of the file's blocks: each is compared when a text first needs it
 * @throws if the file is damaged or has another format
 */
export function readTokenizer(bytes: Uint8Array, name: string, checks?: FileChecks): TokenizerParts {
  const read = (from: number, to: number) => bytes.subarray(from, to);
  const check = (start: number, end: number) => {
    if (checks && !checks.knows(start, end)) checks.check(start, end, read);
  };
  checks?.checkSize(bytes.length);
  check(0, 1);
  const [settings, json, mapTrie, replacements, pieceTrie, scores] = readSections(bytes, TOKENIZER, name) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  if (settings.length !== SETTINGS)
    throw damaged(name, `its settings have ${settings.length} bytes instead of ${SETTINGS}`);
  const odd = [mapTrie, pieceTrie, scores].find(({ length }) => length === 0 || length % 4 !== 0);
  if (odd) throw damaged(name, `a table of 4-byte numbers has ${odd.length} bytes`);
  check(settings.byteOffset - bytes.byteOffset, json.byteOffset - bytes.byteOffset + json.length);
  const special = parseJson(json);
  if (!areSpecialTokens(special)) throw damaged(name, 'its special tokens are invalid');
  const toucher = (table: Uint8Array, size: number): Touch => {
    const start = table.byteOffset - bytes.byteOffset;
    return checks ? (index) => check(start + index * size, start + (index + 1) * size) : () => {};
  };
  const view = new DataView(settings.buffer, settings.byteOffset, SETTINGS);
  const unknown = view.getUint32(8, true);
  if (unknown >= scores.length / 4)
    throw damaged(name, `its unknown token is ${unknown} of ${scores.length / 4}`);
  return {
    begin: view.getUint32(0, true),
    end: view.getUint32(4, true),
    unknown,
    lowestScore: view.getFloat32(12, true),
    special: special as SpecialToken[],
    mapTrie: numbers(mapTrie),
    replacements,
    pieceTrie: numbers(pieceTrie),
    scores: new Float32Array(scores.buffer, scores.byteOffset, scores.length / 4),
    touch: {
      mapTrie: toucher(mapTrie, 4),
      replacements: toucher(replacements, 1),
      pieceTrie: toucher(pieceTrie, 4),
      scores: toucher(scores, 4),
    },
  };
}

function numbers({ buffer, byteOffset, length }: Uint8Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length / 4);
}

/**
 * Reads a double-array trie in the unit layout of Darts-clone (S. Yata, https://github.com/s-yata/darts-clone), which SentencePiece's
 * precompiled character maps use too: one 32-bit unit per node, children at `offset ^ byte`.
 *
 *   bits 0-7 and 31   the byte of the edge to this node (bit 31 is set in leaves, whose other bits are the value)
 *   bit  8            a key ends here, and its value is the unit at `offset ^ 0`
 *   bit  9, 10-30     offset to the children, times 256 if bit 9 is set
 */

/** Receives the value of a key and the byte position after it. Returning true ends the search. */
type Visit = (value: number, end: number) => boolean | undefined;

/**
 * Visits every key that is a prefix of `bytes[start, end)`, shortest first.
 * @param touch called before a unit is read
 */
export function visitPrefixes(
  units: Uint32Array,
  bytes: Uint8Array,
  start: number,
  end: number,
  visit: Visit,
  touch: Touch = untouched,
): void {
  touch(0);
  let node = offset(units[0]!);
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    node ^= byte;
    touch(node);
    // A position past the array is no node. A byte without a child can lead there, or a damaged trie.
    const unit = units[node] ?? 0;
    if ((unit & 0x800000ff) !== byte) return;
    node ^= offset(unit);
    if ((unit & 0x100) === 0) continue;
    touch(node);
    if (visit(units[node]! & 0x7fffffff, i + 1)) return;
  }
}

const untouched: Touch = () => {};

function offset(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
