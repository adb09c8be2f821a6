import type { Touch } from '../format/tokenizer-file.ts';

/**
 * Reads a double-array trie in the unit layout of Darts-clone (S. Yata, https://github.com/s-yata/darts-clone), which SentencePiece's
 * precompiled character maps use too: one 32-bit unit per node, children at `offset ^ byte`.
 *
 *   bits 0-7 and 31   the byte of the edge to this node (bit 31 is set in leaves, whose other bits are the value)
 *   bit  8            a key ends here, and its value is the unit at `offset ^ 0`
 *   bit  9, 10-30     offset to the children, times 256 if bit 9 is set
 */

/** Receives the value of a key and the byte position after it. Returning true ends the search. */
export type Visit = (value: number, end: number) => boolean | undefined;

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
