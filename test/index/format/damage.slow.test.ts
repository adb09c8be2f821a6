import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Embedder } from '../../../index/embedding/embedder.ts';
import type { CompiledModel } from '../../../index/format/compiled-model.ts';
import { INDEX_FILES, type Manifest, readManifest, versionOf } from '../../../index/format/manifest.ts';
import { writeChecks, writeIndexChecks } from '../../../index/format/write-checks.ts';
import { openSearch } from '../../../index/search/open.ts';
import type { Report } from '../../fixtures/damage-tries.ts';
import {
  defaultModel,
  randomContents,
  randomTokens,
  root,
  temporaryFolder,
  writeIndex,
} from '../../fixtures/index.ts';

const folder = temporaryFolder();
const [whole, copy] = [join(folder, 'whole'), join(folder, 'copy')];
const { dir, model } = defaultModel();
let embedder: Embedder;

beforeAll(async () => {
  const tokens = randomTokens(40, model.dimensions);
  const duplicates = [[0, 1, 9, 17]];
  writeIndex(whole, model, { ...randomContents(40, model.dimensions), tokens, duplicates });
  embedder = await Embedder.open(dir, { verify: false });
});

/** The model as a manifest names it. */
const namesOf = ({ name, hash, neutral, tokens }: CompiledModel) => ({
  name,
  hash,
  neutral,
  tokens: tokens!.hash,
});

/** Opens the copy, and returns the error message. */
async function errorMessage(): Promise<string> {
  const error = await openSearch({ index: copy, model: embedder, verify: true }).catch(
    (error: Error) => error,
  );
  if (!(error instanceof Error)) throw new Error('The index was opened.');
  expect(error.message).toMatch(/^[^\n]+\.$/);
  return error.message;
}

/** Changes the manifest of the copy, and recomputes its version. */
function withManifest(change: Partial<Manifest>): void {
  cpSync(whole, copy, { recursive: true });
  const { version: _, ...rest }: Manifest = { ...readManifest(whole, undefined, false), ...change };
  writeFileSync(join(copy, 'manifest.json'), JSON.stringify({ version: versionOf(rest), ...rest }));
}

test('opens an undamaged index', async () => {
  const search = await openSearch({ index: whole, model: dir, verify: true });
  expect(search.info.passages).toBe(40);
});

test('refuses a folder without an index', async () => {
  rmSync(copy, { recursive: true, force: true });
  expect(await errorMessage()).toBe(
    `There is no index in ${copy}. Build one with npx polyseek index PATH --index ${copy}.`,
  );
});

test('refuses an index of an older format', async () => {
  withManifest({ format: 1 });
  expect(await errorMessage()).toBe(
    `${copy}/manifest.json has format 1, but this polyseek reads format 4. Run npx polyseek index again.`,
  );
});

test('refuses an index of another model', async () => {
  const hash = 'f'.repeat(64);
  withManifest({ model: { ...namesOf(model), name: 'other', hash } });
  expect(await errorMessage()).toBe(
    `${copy} was built with the model other (ffffffffffff, 384 dimensions), but the model is multilingual-e5-small (${model.hash.slice(0, 12)}, ` +
      '384 dimensions). Run npx polyseek index again, or use the model of the index.',
  );
});

test('refuses vectors of other dimensions', async () => {
  withManifest({ dimensions: 768 });
  expect(await errorMessage()).toMatch(/768 dimensions\), but .*384 dimensions\)\. Run/);
});

test.each([
  [null, 'none'],
  ['abcdefabcdef0123', 'abcdefabcdef'],
])('refuses the language axes %s', async (neutral, shown) => {
  withManifest({ model: { ...namesOf(model), neutral } });
  expect(await errorMessage()).toBe(
    `${copy} was built with the language axes ${shown}, but the model has ${model.neutral?.slice(0, 12)}. Run npx polyseek index again.`,
  );
});

test('refuses other token states', async () => {
  withManifest({ model: { ...namesOf(model), tokens: 'abcdefabcdef0123' } });
  expect(await errorMessage()).toBe(
    `${copy} was built with the token states abcdefabcdef, but the model has ${model.tokens!.hash.slice(0, 12)}. Run npx polyseek index again.`,
  );
  const { tokens: _, ...without } = model;
  expect(() => readManifest(copy, without, false)).toThrow('but the model has none. Run npx polyseek index');
});

test('refuses a manifest whose model and files differ about token states', async () => {
  const problem = `${join(copy, 'manifest.json')} is damaged: its files and its model differ about token states. Run npx polyseek index again.`;
  withManifest({ model: { ...namesOf(model), tokens: null } });
  expect(await errorMessage()).toBe(problem);
  const { 'tokens.bin': _, ...files } = readManifest(whole, undefined, false).files;
  withManifest({ files });
  expect(await errorMessage()).toBe(problem);
});

test.each(['', 'null', '[]', '7', '"x"', '{', '{}'])('refuses %j as a manifest', async (text) => {
  cpSync(whole, copy, { recursive: true });
  writeFileSync(join(copy, 'manifest.json'), text);
  expect(await errorMessage()).toMatch(/is damaged: it is not JSON\. Run|has format undefined/);
});

describe.each(INDEX_FILES.slice(1))('%s', (name) => {
  const path = join(copy, name);
  const bytes = () => readFileSync(join(whole, name));

  test('is refused if missing', async () => {
    cpSync(whole, copy, { recursive: true });
    rmSync(path);
    expect(await errorMessage()).toBe(
      `${path} is missing, but its manifest lists it. Run npx polyseek index again.`,
    );
  });

  test.each([0, 1, 15, 16, 100, -1])('is refused if truncated to %i bytes', async (length) => {
    cpSync(whole, copy, { recursive: true });
    const size = bytes().length;
    const left = length < 0 ? size + length : length;
    truncateSync(path, left);
    expect(await errorMessage()).toBe(
      `${path} is damaged: it has ${left} bytes, but its manifest says ${size}. Run npx polyseek index again.`,
    );
  });

  test('is refused with any bit flipped', async () => {
    cpSync(whole, copy, { recursive: true });
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes().length - 1), fc.nat(7), async (at, bit) => {
        const damaged = bytes();
        damaged[at]! ^= 1 << bit;
        writeFileSync(path, damaged);
        expect(await errorMessage()).toMatch(
          /is damaged: it has the checksum [0-9a-f]{8}, but its manifest says [0-9a-f]{8}\. Run npx polyseek index again\.$/,
        );
      }),
    );
  });
});

test('refuses a manifest with any bit flipped, unless the meaning is the same', async () => {
  cpSync(whole, copy, { recursive: true });
  const text = readFileSync(join(whole, 'manifest.json'));
  const expected = JSON.parse(text.toString());
  const path = join(copy, 'manifest.json');
  for (let at = 0; at < text.length; at++) {
    const damaged = Buffer.from(text);
    damaged[at]! ^= 1 << (at % 8);
    writeFileSync(path, damaged);
    const same = () => {
      expect(readManifest(copy, model, true)).toEqual(expected);
      return 'the same';
    };
    const outcome = await openSearch({ index: copy, model: embedder, verify: true }).then(same, () =>
      errorMessage(),
    );
    expect(outcome).toMatch(/the same|damaged|has format/);
  }
});

test('refuses a file of the wrong kind, even if the manifest lists it', async () => {
  const files = readManifest(whole, undefined, false).files;
  withManifest({ files: { ...files, 'lookup.bin': files['passages.bin']! } });
  cpSync(join(whole, 'passages.bin'), join(copy, 'lookup.bin'));
  expect(await errorMessage()).toBe(
    `${join(copy, 'lookup.bin')} is damaged: it starts with "PSPA" instead of "PSLK". Run npx polyseek index again.`,
  );
});

test('refuses files whose number of passages differs from the manifest', async () => {
  const { counts } = readManifest(whole, undefined, false);
  withManifest({ counts: { ...counts, passages: 41 } });
  expect(await errorMessage()).toBe(
    `${join(copy, 'graph.bin')} is damaged: it has 40 passages, but the manifest says 41. Run npx polyseek index again.`,
  );
});

test.each<[string, object]>([
  ['model', { model: { name: 'm' } }],
  ['dimensions', { dimensions: 0 }],
  ['counts', { counts: { documents: 1, passages: 0, sentences: 0, terms: 0 } }],
  ['languages', { languages: { en: 'many' } }],
  ['fields', { fields: 'lang' }],
  ['files', { files: {} }],
])('refuses an invalid %s in a manifest with a valid version', async (key, change) => {
  withManifest(change);
  expect(await errorMessage()).toBe(
    `${join(copy, 'manifest.json')} is damaged: its ${key} is missing or invalid. Run npx polyseek index again.`,
  );
});

test('refuses a sentence outside its passage', async () => {
  const { sentences, ...contents } = randomContents(3, model.dimensions);
  rmSync(copy, { recursive: true, force: true });
  writeIndex(copy, model, {
    ...contents,
    sentences: sentences.map(([one]) => [one!.map((value) => -value), one!]),
  });
  const search = await openSearch({ index: copy, model: embedder, verify: true });
  await expect(search.search({ q: 'word', k: 3, mode: 'semantic' })).rejects.toThrow(
    /passages\.bin is damaged: passage \d has no sentence 1\. Run npx polyseek index again\.$/,
  );
});

// `DAMAGE=1000 npx vitest run test/index/format/damage.slow.test.ts` makes a long run.
describe.each([
  ['with checksums of blocks, as in the packaged function, any damage gives the same answers or', 'blocks'],
  ['without verification, any damage gives an answer or', 'sizes'],
] as const)('%s a proper error', (_, verify) => {
  const FLIPS = Number(process.env.DAMAGE ?? 150);
  const CUTS = Number(process.env.DAMAGE ?? 50);
  /** A try takes milliseconds. A child process that is silent for this long counts as hanging. */
  const HANG_MS = 30_000;
  const LONG_RUN_MS = 7_200_000;

  /** The files of a folder that are read with this verification. */
  const namesIn = (folder: string) =>
    readdirSync(folder).filter((name) => verify === 'blocks' || name !== 'checks.bin');

  /** Runs all tries. @returns their number, and the tries that hang, crash or throw a raw error */
  async function tryAll(index: string, model: string, files: string[]) {
    const child = fork(
      join(root, 'test/fixtures/damage-tries.ts'),
      [index, model, verify, `${FLIPS}`, `${CUTS}`, ...files],
      {
        execArgv: ['--import', 'tsx'],
      },
    );
    const problems: Report[] = [];
    let [tries, last] = [0, 'start'];
    const hang = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
    child.on('message', (report: Report) => {
      hang.refresh();
      if (report.problem) problems.push(report);
      else tries++;
      last = report.damage;
    });
    const [code, signal] = await once(child, 'close');
    clearTimeout(hang);
    if (code !== 0) problems.push({ damage: last, problem: `The process ended with ${signal ?? code}.` });
    return { tries, problems };
  }

  test(
    'to an index',
    async () => {
      cpSync(whole, copy, { recursive: true });
      writeIndexChecks(copy);
      const files = namesIn(copy).map((name) => join(copy, name));
      const { tries, problems } = await tryAll(copy, dir, files);
      expect(problems).toEqual([]);
      expect(tries).toBe(files.length * (FLIPS + CUTS));
    },
    LONG_RUN_MS,
  );

  test(
    'to a compiled model',
    async () => {
      const copied = join(folder, 'model');
      cpSync(dir, copied, { recursive: true });
      writeChecks(copied, readdirSync(dir));
      const files = namesIn(copied).map((name) => join(copied, name));
      const { tries, problems } = await tryAll(whole, copied, files);
      expect(problems).toEqual([]);
      expect(tries).toBe(files.length * (FLIPS + CUTS));
      // Each try opens the model and embeds four texts.
    },
    LONG_RUN_MS,
  );
});
