import { createHash } from 'node:crypto';

/**
 * Names the texts of one source by what they hold: 12 hexadecimal digits of the SHA-256 of source, text and how often
 * the same text was named before. So a text keeps its id when others come or go. Two of a million texts share an id
 * with a chance of 1 in 560.
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
