import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatOf } from '../../index/documents/formats.ts';
import { type ReadEvent, ReadingProcess } from '../../index/ingest/reading/reading-process.ts';
import { temporaryFolder } from '../fixtures/index.ts';
import { makeMessyFolder } from '../fixtures/messy-folder.ts';
import { missingTools } from '../fixtures/tools.ts';

/** Damaged versions of each file. `FUZZ=2000 npx vitest run test/e2e/fuzz-readers.test.ts` makes a long run. */
const TRIES = Number(process.env.FUZZ ?? 8);

/** A generator of numbers below 2^32 that repeats (xorshift, Marsaglia 2003). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** A damaged version of a file: truncated, with flipped bits, with a part repeated, moved or overwritten. */
function damage(bytes: Buffer, random: () => number): Buffer {
  const at = () => random() % bytes.length;
  const damaged = Buffer.from(bytes);
  switch (random() % 5) {
    case 0:
      return damaged.subarray(0, at());
    case 1:
      for (let i = random() % 20; i >= 0; i--) damaged[at()]! ^= 1 << (random() % 8);
      return damaged;
    case 2: {
      const [from, length] = [at(), random() % 5000];
      return Buffer.concat([
        damaged.subarray(0, from),
        ...Array(1 + (random() % 50)).fill(damaged.subarray(from, from + length)),
        damaged.subarray(from),
      ]);
    }
    case 3: {
      const [a, b] = [at(), at()].sort((x, y) => x - y) as [number, number];
      return Buffer.concat([damaged.subarray(b), damaged.subarray(a, b), damaged.subarray(0, a)]);
    }
    default: {
      const from = at();
      const filler = [0, 0x20, 0x28, 0x3c, 0x5b, 0x7b, 0xff][random() % 7]!;
      return damaged.fill(filler, from, Math.min(bytes.length, from + (random() % 3000)));
    }
  }
}

describe.skipIf(missingTools('pandoc', 'soffice'))('damaged files', () => {
  let folder: string;
  let samples: string[];
  const reading = new ReadingProcess();
  beforeAll(() => {
    ({ folder } = makeMessyFolder());
    const names = readdirSync(folder).filter(
      (name) => formatOf(name) && !/^(?:half|noise|locked|bad|deep|empty|word97)\./.test(name),
    );
    samples = [...new Map(names.map((name) => [extname(name), name])).values()];
  });
  afterAll(() => reading.close());

  it(
    'cost their file only: each is read in time, or reported',
    async () => {
      const random = seeded(20261126);
      const path = (name: string) => join(folder, name);
      const work = temporaryFolder();
      const failures: string[] = [];
      for (const name of samples) {
        const whole = readFileSync(path(name));
        for (let i = 0; i < TRIES; i++) {
          const localPath = join(work, name);
          writeFileSync(localPath, damage(whole, random));
          const events: ReadEvent[] = [];
          let givenUp = '';
          try {
            for await (const event of reading.read({ source: name, path: name, localPath, options: {} }))
              events.push(event);
          } catch (error) {
            givenUp = String(error);
          }
          if (events.length > 0 && givenUp === '') continue;
          failures.push(`${name}, version ${i}: ${givenUp || 'nothing reported'}`);
          if (process.env.FUZZ) writeFileSync(join('build', `fuzz-${i}-${name}`), readFileSync(localPath));
        }
      }
      expect(failures).toEqual([]);
      expect(samples.length).toBeGreaterThan(20);
    },
    6 * 3_600_000,
  );
});
