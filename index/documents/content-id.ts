import { createHash } from 'node:crypto';

/**
 * Returns a function that returns the id of each text of a source: 12 hexadecimal digits of the SHA-256 of the source, the text and
 * the number of equal earlier texts. A text keeps its id when others are added or removed. With a million texts, the chance that
 * any two share an id is 1 in 560.
 */
export function contentIds(source: string): (text: string) => string {
  const seen = new Map<string, number>();
  return (text) => {
    const key = sha256(text);
    const occurrence = seen.get(key) ?? 0;
    seen.set(key, occurrence + 1);
    return sha256(`${source}\0${text}\0${occurrence}`).slice(0, 12);
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
