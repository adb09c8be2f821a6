import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageFunction } from '../../functions/package/package-function.ts';
import { searchEvent } from '../bench/event.ts';
import { type CountedWork, countWork } from '../fixtures/counted-work.ts';
import { defaultModel, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { missingTools } from '../fixtures/tools.ts';

const KB = 1000;
/** Without and with a graph. */
const [SMALL, LARGE] = [1000, process.env.ALL_RUNS ? 10_000 : 1500];
const folder = temporaryFolder();
const packaged = (passages: number) => join(folder, `function-${passages}`);

/** Bytes read from files with a matching path. */
function bytesOf({ read }: CountedWork, path: RegExp): number {
  return Object.entries(read).reduce((sum, [name, bytes]) => sum + (path.test(name) ? bytes : 0), 0);
}

// Times vary on a shared machine, but work can be counted. A change that exceeds a bound must justify it.
describe.skipIf(missingTools('strace'))('from start to first answer, the packaged function', () => {
  const works = new Map<number, CountedWork>();
  const [GRAPH, REST] = [/^index\/graph/, /^index\/(?!graph)/];

  beforeAll(async () => {
    for (const passages of [SMALL, LARGE]) {
      const index = join(folder, `index-${passages}`);
      writeRandomIndex(index, passages, defaultModel());
      await packageFunction(index, packaged(passages));
      works.set(passages, await countWork(packaged(passages), searchEvent('word1 number 3')));
    }
  });

  test('has a size that leaves most of Lambda’s 262 MB to an index', () => {
    const entries = readdirSync(packaged(SMALL), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const sizes = files.map(({ parentPath, name }) => statSync(join(parentPath, name)).size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(115_000 * KB);
  });

  test('maps the encoder and tokenizer of the model, and reads a few rows', () => {
    const work = works.get(SMALL)!;
    const size = (name: string) => statSync(join(packaged(SMALL), name)).size;
    // Exact, so that the test fails if a call is missed.
    for (const name of ['model/encoder.bin', 'model/tokenizer.bin'])
      expect(work.mapped[name], name).toBe(size(name));
    expect(work.read['model/rows.bin']).toBeGreaterThan(0);
    // Of these, 81 KB are checksums.
    expect(bytesOf(work, /^model\//)).toBeLessThan(190 * KB);
  });

  test('reads little of an index except its graph, and at most 4/3 of its graph', () => {
    const [small, large] = [works.get(SMALL)!, works.get(LARGE)!];
    const graph = statSync(join(packaged(LARGE), 'index/graph.bin')).size;
    expect(bytesOf(large, GRAPH)).toBeGreaterThan(0);
    expect(bytesOf(large, GRAPH)).toBeLessThan(1.4 * graph);
    expect(bytesOf(small, REST)).toBeGreaterThan(0);
    // A block of 4 KB for each place that is read.
    expect(bytesOf(large, REST)).toBeLessThan(850 * KB);
    if (process.env.ALL_RUNS)
      expect((bytesOf(large, REST) - bytesOf(small, REST)) / (LARGE - SMALL)).toBeLessThan(40);
  });

  test('loads little code and opens few files, and no more for more passages', () => {
    const [small, large] = [works.get(SMALL)!, works.get(LARGE)!];
    expect(bytesOf(small, /\.mjs$/)).toBeGreaterThan(0);
    // Of these, 3 KB check keys and paths, 3 KB tokens, 3 KB make the store replaceable, 5 KB verify what is read and the library, 1 KB refuse
    // malformed events, 1 KB cut long answers and find what is behind copies, 1 KB find what a
    // caller's groups may read, and 3 KB recognize requests of chat platforms, with parts of valibot.
    expect(bytesOf(small, /\.mjs$/)).toBeLessThan(100 * KB);
    expect(Object.keys(small.opened)).toContain('lambda.mjs');
    // One of them has the library's checksums, and one of 216 bytes parses JSON for every chunk.
    expect(Object.keys(small.opened).length).toBeLessThanOrEqual(22);
    expect(small.modules.length).toBeGreaterThan(0);
    // Node 20 loads 3 and Node 24 loads 5. Streams would add 20, and Fetch 50.
    expect(small.modules.length).toBeLessThanOrEqual(8);
    expect(Object.keys(large.opened).sort()).toEqual(Object.keys(small.opened).sort());
    expect(large.modules).toEqual(small.modules);
  });
});
