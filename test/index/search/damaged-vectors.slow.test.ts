import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { normalized, type QuestionEmbedder } from '../../../index/embedding/embedder.ts';
import { type Format, readHead } from '../../../index/format/container.ts';
import { GRAPH, openGraph } from '../../../index/format/graph-file.ts';
import { SENTENCES, SentenceVectors } from '../../../index/format/sentences-file.ts';
import { openSearch } from '../../../index/search/index-search.ts';
import { NEAREST } from '../../../index/store/bundle-store.ts';
import {
  defaultModel,
  gaussian,
  randomNumbers,
  temporaryFolder,
  writeRandomIndex,
} from '../../fixtures/index.ts';
import { runs } from '../../fixtures/runs.ts';

const [FLIPS, CUTS] = [runs(300), runs(100)];
/** Enough passages for searches to use the graph. */
const PASSAGES = NEAREST.exactPassages + 200;

const folder = temporaryFolder();
const [whole, copy] = [join(folder, 'whole'), join(folder, 'copy')];
const { model } = defaultModel();
const random = randomNumbers(12);
const vectors = Array.from({ length: 5 }, () => normalized(gaussian(model.dimensions, random)));
let asked = 0;
/** Returns a different vector for each question: the search is tested here, not the model. */
const embedder: QuestionEmbedder = {
  model,
  tokens: () => 1,
  embed: async () => vectors[asked++ % vectors.length]!,
};

beforeAll(() => {
  writeRandomIndex(whole, PASSAGES, defaultModel());
  cpSync(whole, copy, { recursive: true });
});

/** Opens the damaged index without verification, and asks five questions. Returns the error, if any. */
async function failure(): Promise<string | undefined> {
  try {
    const search = await openSearch({ index: copy, model: embedder, verify: false });
    for (const q of ['a', 'b', 'c', 'd', 'number 17']) {
      const { results } = await search.search({ q, k: 10, mode: 'hybrid' });
      expect(results).toHaveLength(10);
      for (const { score } of results) expect(score).not.toBeNaN();
    }
  } catch (error) {
    return String(error);
  }
}

describe.each<[string, Format, (path: string) => unknown]>([
  ['graph.bin', GRAPH, (path) => openGraph(path, model.dimensions)],
  ['sentences.bin', SENTENCES, (path) => new SentenceVectors(path, model.dimensions)],
])('%s', (name, format, open) => {
  const path = join(copy, name);
  // The error is not a TypeError or RangeError, and it names the damaged file.
  const message = /^Error: (?:\S+\.bin|The index) [^\n]+\.$/;

  test(`gives results or a clear error with any of ${FLIPS} bits flipped`, async () => {
    const bytes = readFileSync(join(whole, name));
    const sections = readHead(bytes, format, path, bytes.length);
    // Most sections are short, so each section and the header get the same number of flips.
    const places = [{ start: 0, length: sections[0]!.start }, ...sections];
    let failures = 0;
    for (let i = 0; i < FLIPS; i++) {
      const { start, length } = places[i % places.length]!;
      const damaged = Buffer.from(bytes);
      damaged[start + Math.floor(random() * length)]! ^= 1 << Math.floor(random() * 8);
      writeFileSync(path, damaged);
      const error = await failure();
      if (error === undefined) continue;
      failures++;
      expect(error).toMatch(message);
    }
    expect(failures).toBeGreaterThan(FLIPS / 10);
    copyFileSync(join(whole, name), path);
  }, 120_000);

  test(`is refused if truncated at any of ${CUTS} positions`, () => {
    const bytes = readFileSync(join(whole, name));
    for (let i = 0; i < CUTS; i++) {
      writeFileSync(path, bytes.subarray(0, Math.floor(random() * bytes.length)));
      expect(() => open(path)).toThrow(/^\S+\.bin [^\n]+\.$/);
    }
    copyFileSync(join(whole, name), path);
  });
});
