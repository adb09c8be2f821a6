import { createHash } from 'node:crypto';

/**
 * Returns a function that returns the id of each text of a source: 12 hexadecimal digits of the SHA-256 of the source, the text and
 * the number of equal earlier texts. A text keeps its id when others are added or removed. With a million texts, the chance that
 * any two share an id is 1 in 560.
 */
export function contentIds(source: string): (text: string) => string {
  /** By 6 bytes of the digest of a text. */
  const counts = new Map<number, number>();
  return (text) => {
    const digest = sha256(text).readUIntLE(0, 6);
    const count = counts.get(digest) ?? 0;
    counts.set(digest, count + 1);
    return sha256(`${source}\0${text}\0${count}`).toString('hex', 0, 6);
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
