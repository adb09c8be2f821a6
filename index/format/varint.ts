const MAX = 2 ** 32 - 1;

/**
 * Writes ascending whole numbers up to 2^32 - 1: each as its difference to the one before (to 0 for the first), in LEB128, that is
 * 7 bits a byte, low bits first.
 */
export function writeAscending(values: ArrayLike<number>): Uint8Array {
  const bytes: number[] = [];
  let before = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    let rest = value - before;
    before = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

interface Numbers {
  values: Uint32Array;
  end: number;
}

/** Reads `count` numbers that `writeAscending` wrote at `start`. Returns undefined if the bytes end first, or a number exceeds 2^32 - 1. */
export function readAscending(bytes: Uint8Array, start: number, count: number): Numbers | undefined {
  // Each number has at least one byte, so a damaged count cannot allocate more than the size of the bytes.
  if (count > bytes.length - start) return undefined;
  const values = new Uint32Array(count);
  let at = start;
  let value = 0;
  for (let i = 0; i < count; i++) {
    for (let weight = 1, more = true; more; weight *= 128) {
      if (at >= bytes.length || weight > MAX) return undefined;
      const byte = bytes[at++]!;
      value += (byte & 127) * weight;
      more = byte > 127;
    }
    if (value > MAX) return undefined;
    values[i] = value;
  }
  return { values, end: at };
}

/** Writes any number of ascending whole numbers, their count first. */
export function writeList(values: ArrayLike<number>): Uint8Array {
  return Buffer.concat([writeAscending([values.length]), writeAscending(values)]);
}

/** Reads a list that `writeList` wrote at `start`. Returns undefined as `readAscending` does. */
export function readList(bytes: Uint8Array, start: number): Numbers | undefined {
  const count = readAscending(bytes, start, 1);
  return count && readAscending(bytes, count.end, count.values[0]!);
}
