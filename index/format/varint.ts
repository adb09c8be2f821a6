/** Ascending whole numbers as differences to the one before (to 0 for the first), each in LEB128: 7 bits a byte, low bits first. */
export function writeAscending(values: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  let before = 0;
  for (const value of values) {
    let rest = value - before;
    before = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

/** Reads `count` numbers that `writeAscending` wrote at `start`. @returns them and the position after the last */
export function readAscending(
  bytes: Uint8Array,
  start: number,
  count: number,
): { values: Uint32Array; end: number } {
  const values = new Uint32Array(count);
  let at = start;
  let value = 0;
  for (let i = 0; i < count; i++) {
    for (let weight = 1, more = true; more; weight *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * weight;
      more = byte > 127;
    }
    values[i] = value;
  }
  return { values, end: at };
}

/** Any number of ascending whole numbers, their number before them. */
export function writeList(values: readonly number[]): Uint8Array {
  return Buffer.concat([writeAscending([values.length]), writeAscending(values)]);
}

/** Reads what `writeList` wrote at `start`. @returns the numbers and the position after the last */
export function readList(bytes: Uint8Array, start: number): { values: Uint32Array; end: number } {
  const { values, end } = readAscending(bytes, start, 1);
  return readAscending(bytes, end, values[0]!);
}
