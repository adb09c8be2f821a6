/** Only this many of the newest units are searched for a free slot. Ignoring older gaps keeps the build linear in time. */
const OPEN_UNITS = 16 * 256;

/** A unit that no byte leads to. A unit of zero would be a child for byte 0. */
const UNUSED = 0x80000000;

/**
 * Builds the trie that `embedding/double-array.ts` reads and describes.
 * @param keys distinct, non-empty, sorted by their bytes, none containing a zero byte
 * @param values a value per key, 0 to 2^31 - 1
 * @returns the units, of which a few percent are unused
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
