/** Which binary format a file must have. */
export interface Format {
  /** Four ASCII characters. */
  magic: string;
  version: number;
  sections: number;
}

/**
 * The head that all of the project's binary files share, little-endian: magic (4 bytes), version (u32), file length (f64), then
 * for each section its start and length in bytes (f64 each). Sections start at multiples of 8 and follow in order.
 */
export const headBytes = (sections: number): number => 16 + 16 * sections;

/** A file's sections as views of its bytes. Throws, naming found and expected, on another magic, version or length. */
export function readSections(bytes: Uint8Array, format: Format, name: string): Uint8Array[] {
  return readHead(bytes, format, name, bytes.length).map(({ start, length }) =>
    bytes.subarray(start, start + length),
  );
}

/**
 * Where a file's sections are, from its first `headBytes(format.sections)` bytes.
 * @param fileLength bytes the file has, to notice one that was cut short
 * @throws if magic, version or length are not what the format says
 */
export function readHead(
  head: Uint8Array,
  format: Format,
  name: string,
  fileLength: number,
): { start: number; length: number }[] {
  const expected = `${format.magic} version ${format.version}`;
  if (head.length < headBytes(format.sections)) {
    throw new Error(`${name} has ${head.length} bytes, too few for ${expected}: build it again.`);
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const magic = String.fromCharCode(...head.subarray(0, 4));
  const version = view.getUint32(4, true);
  if (magic !== format.magic) {
    throw new Error(
      `${name} starts with ${JSON.stringify(magic)} where ${expected} was expected: build it again.`,
    );
  }
  if (version !== format.version) {
    throw new Error(
      `${name} is ${magic} version ${version}, but this polyseek reads ${expected}: build it again.`,
    );
  }
  if (view.getFloat64(8, true) !== fileLength) {
    throw new Error(
      `${name} has ${fileLength} bytes where its head says ${view.getFloat64(8, true)}: it is damaged, build it again.`,
    );
  }
  return Array.from({ length: format.sections }, (_, i) => ({
    start: view.getFloat64(16 + 16 * i, true),
    length: view.getFloat64(24 + 16 * i, true),
  }));
}

/** Puts sections behind a head: the inverse of `readSections`. */
export function writeSections(format: Format, sections: Uint8Array[]): Uint8Array {
  const starts: number[] = [];
  let length = headBytes(sections.length);
  for (const section of sections) {
    starts.push(length);
    length += Math.ceil(section.byteLength / 8) * 8;
  }
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4; i++) bytes[i] = format.magic.charCodeAt(i);
  view.setUint32(4, format.version, true);
  view.setFloat64(8, length, true);
  sections.forEach((section, i) => {
    view.setFloat64(16 + 16 * i, starts[i]!, true);
    view.setFloat64(24 + 16 * i, section.byteLength, true);
    bytes.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), starts[i]!);
  });
  return bytes;
}
