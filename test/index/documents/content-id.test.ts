import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { contentIds } from '../../../index/documents/content-id.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

it('counts how often each of many texts occurred before', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 600 }),
      (source, texts) => {
        const idOf = contentIds(source);
        const counts = new Map<string, number>();
        for (const text of texts.map(String)) {
          const count = counts.get(text) ?? 0;
          counts.set(text, count + 1);
          expect(idOf(text)).toBe(sha256(`${source}\0${text}\0${count}`).slice(0, 12));
        }
      },
    ),
  );
});
