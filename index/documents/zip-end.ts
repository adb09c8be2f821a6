const END = Buffer.from('PK\x05\x06', 'latin1');
const LENGTH = 22;
const ZIP64_LOCATOR = Buffer.from('PK\x06\x07', 'latin1');
const ZIP64_LOCATOR_LENGTH = 20;

/** Where the length of the comment is in an end-of-central-directory record. The comment is the last part of a zip file. */
export const COMMENT_LENGTH_AT = LENGTH - 2;

/**
 * Finds the end-of-central-directory record of a zip file: the last one after which its directory ends, else the last one whose
 * directory ends before it. Comments, and bytes that servers append, may contain its signature.
 * @param bytes the last bytes of the file, or all
 * @param start where they start in the file
 * @returns the record's place in `bytes`
 */
export function findZipEnd(bytes: Buffer, start = 0): number | undefined {
  let loose: number | undefined;
  for (let at = bytes.lastIndexOf(END); at !== -1; at = at === 0 ? -1 : bytes.lastIndexOf(END, at - 1)) {
    if (at + LENGTH > bytes.length || at + LENGTH + bytes.readUInt16LE(at + COMMENT_LENGTH_AT) > bytes.length)
      continue;
    const directoryEnd = bytes.readUInt32LE(at + 12) + bytes.readUInt32LE(at + 16);
    const before = bytes.subarray(Math.max(0, at - ZIP64_LOCATOR_LENGTH), at);
    if (directoryEnd === start + at || before.indexOf(ZIP64_LOCATOR) === 0) return at;
    if (directoryEnd < start + at) loose ??= at;
  }
  return loose;
}
