export interface Format {
  /** Four ASCII characters. */
  magic: string;
  version: number;
  sections: number;
}

/** Where a section is in its file, in bytes. */
export interface Place {
  start: number;
  length: number;
}

/**
 * Bytes of the head that all binary files of an index and a model share, little-endian: magic (4 bytes), version (u32), file
 * length (f64), then each section's start and length in bytes (f64 each).
 */
export const headBytes = (sections: number): number => 16 + 16 * sections;

/** The sections of a whole file, as views of its bytes. Throws as `readHead` does. */
export function readSections(bytes: Uint8Array, format: Format, name: string): Uint8Array[] {
  return readHead(bytes, format, name, bytes.length).map(({ start, length }) =>
    bytes.subarray(start, start + length),
  );
}

/**
 * Reads the head of a file.
 * @param head at least the first `headBytes(format.sections)` bytes of the file
 * @returns the place of each section
 * @throws if magic, version or length differ from the format, or the sections do not fill the file as `writeSections` lays them out
 */
export function readHead(head: Uint8Array, format: Format, name: string, fileLength: number): Place[] {
  const size = headBytes(format.sections);
  if (head.length < size) throw damaged(name, `it has ${fileLength} bytes, but its head alone has ${size}`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const magic = String.fromCharCode(...head.subarray(0, 4));
  const version = view.getUint32(4, true);
  if (magic !== format.magic) {
    throw damaged(name, `it starts with ${JSON.stringify(magic)} instead of ${JSON.stringify(format.magic)}`);
  }
  if (version !== format.version) {
    throw new Error(
      `${name} has version ${version} of the format ${magic}, but this polyseek reads version ${format.version}. Run npx polyseek index again.`,
    );
  }
  const length = view.getFloat64(8, true);
  if (length !== fileLength) throw damaged(name, `it has ${fileLength} bytes, but its head says ${length}`);
  let end = size;
  const places = Array.from({ length: format.sections }, (_, i): Place => {
    const place = { start: view.getFloat64(16 + 16 * i, true), length: view.getFloat64(24 + 16 * i, true) };
    if (place.start !== end || !Number.isSafeInteger(place.length) || place.length < 0) {
      throw damaged(
        name,
        `section ${i} starts at byte ${place.start} and has ${place.length} bytes, but must start at byte ${end}`,
      );
    }
    end = place.start + padded(place.length);
    return place;
  });
  if (end !== fileLength)
    throw damaged(name, `it has ${fileLength} bytes, but its sections end at byte ${end}`);
  return places;
}

/** Joins sections into a file: a head, then each section at the next multiple of 8. */
export function writeSections(format: Format, sections: readonly ArrayBufferView[]): Uint8Array {
  const lengths = sections.map(({ byteLength }) => byteLength);
  const starts = startsOf(lengths);
  const bytes = new Uint8Array(starts.at(-1)!);
  bytes.set(writeHead(format, lengths));
  for (const [i, section] of sections.entries()) bytes.set(bytesOf(section), starts[i]!);
  return bytes;
}

export function writeHead(format: Format, lengths: readonly number[]): Uint8Array {
  const starts = startsOf(lengths);
  const head = new Uint8Array(headBytes(lengths.length));
  const view = new DataView(head.buffer);
  for (let i = 0; i < 4; i++) head[i] = format.magic.charCodeAt(i);
  view.setUint32(4, format.version, true);
  view.setFloat64(8, starts.at(-1)!, true);
  lengths.forEach((length, i) => {
    view.setFloat64(16 + 16 * i, starts[i]!, true);
    view.setFloat64(24 + 16 * i, length, true);
  });
  return head;
}

/** Where sections of these lengths start, and where the file ends. */
export function startsOf(lengths: readonly number[], sections = lengths.length): number[] {
  const starts = [headBytes(sections)];
  for (const length of lengths) starts.push(starts.at(-1)! + padded(length));
  return starts;
}

/** The bytes of a typed array, without copying them. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** A copy of a section, as typed arrays need it: a file may start at any byte of a larger buffer. */
export const copied = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;

function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/**
 * The error for a file that contradicts its format.
 * @param problem the contradiction, as a clause
 */
export function damaged(name: string, problem: string): Error {
  return new Error(`${name} is damaged: ${problem}. Run npx polyseek index again.`);
}

/** The error for a file of a packaged function that differs from the packaged one. */
export function damagedInPackage(name: string, problem: string): Error {
  return new Error(`${name} is damaged: ${problem}. Package and deploy the function again.`);
}
