import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Passage } from '../../../index/format/passage.ts';
import { Passages, writePassages } from '../../../index/format/passages-file.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const path = join(temporaryFolder(), 'passages.bin');

const text = fc.string({ unit: 'binary' });
const passage: fc.Arbitrary<Passage> = fc.record(
  {
    id: text,
    text,
    title: text,
    source: text,
    position: fc.nat(),
    lang: text,
    url: text,
    metadata: fc.dictionary(
      text,
      fc.oneof(
        text,
        fc.boolean(),
        fc.array(text),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
      ),
    ),
    sentences: fc.array(fc.tuple(fc.nat(), fc.nat())),
  },
  { requiredKeys: ['id', 'text', 'title', 'source', 'position', 'lang', 'sentences'] },
);

test('any passages come back, in any order of reading', () => {
  fc.assert(
    fc.property(fc.array(passage), (passages) => {
      writeFileSync(path, writePassages(passages));
      const file = new Passages(path);
      try {
        expect(file.count).toBe(passages.length);
        for (const [ordinal, one] of [...passages.entries()].reverse()) {
          // Through JSON, as JSON has no prototypes to compare.
          expect(JSON.stringify(file.get(ordinal))).toBe(JSON.stringify(one));
        }
      } finally {
        file.close();
      }
    }),
  );
});
