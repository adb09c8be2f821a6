import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compileModel } from '../../index/compile/compile.ts';
import { readCompiledModel } from '../../index/format/compiled-model.ts';
import { locateFolder } from '../../index/format/drafts.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { DiskFaults } from '../fixtures/disk-faults.ts';
import { temporaryFolder } from '../fixtures/index.ts';
import { JobProcess } from '../fixtures/job-process.ts';
import type { Job } from '../fixtures/job-runner.ts';
import { tinyModel, writeModel } from '../fixtures/models/tiny-model.ts';

const TIMEOUT = 1_800_000;
const workspace = temporaryFolder();
const folder = join(workspace, 'disk');
const at = (name: string) => join(folder, name);
const documents = join(workspace, 'documents.jsonl');
const source = writeModel(tinyModel({ positions: 128 }));
const model = compileModel(source);
let faults: DiskFaults;
let child: JobProcess;

/** The commands that replace a folder, with a part that all have. */
const REPLACING: [name: string, job: Job, target: string, part: string][] = [
  ['build', { kind: 'build', documents, index: at('index'), model }, 'index', 'manifest.json'],
  ['package', { kind: 'package', model: source, out: at('function') }, 'function', 'lambda.mjs'],
];

beforeAll(async () => {
  mkdirSync(folder);
  faults = new DiskFaults(workspace, folder);
  const lines = Array.from({ length: 20 }, (_, i) => JSON.stringify({ text: `Item ${i}` }));
  writeFileSync(documents, lines.join('\n'));
  child = new JobProcess(faults.env);
  return () => child.kill();
});
beforeEach(() => faults.none());
afterEach(() => {
  for (const name of readdirSync(folder)) rmSync(at(name), { recursive: true });
});

/** The bytes of all files in a folder, in hexadecimal. */
const bytesOf = (path: string) =>
  Object.fromEntries(
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => [name, readFileSync(join(path, name), 'hex')]),
  );

/** Counts the changes of a job that replaces what is there. */
async function changesOf(job: Job, ...kinds: Parameters<DiskFaults['none']>): Promise<number> {
  expect(await child.run(job)).toBe(null);
  faults.none(...kinds);
  expect(await child.run(job)).toBe(null);
  const { calls } = faults;
  faults.none();
  return calls;
}

describe('a disk that is full', () => {
  test.each(REPLACING)(
    'from any change of a %s on leaves the old folder',
    async (kind, job, target) => {
      const changes = await changesOf(job, 'write', 'create');
      expect(changes).toBeGreaterThan(10);
      const old = bytesOf(at(target));
      // Packaging takes a second, so every third change must do.
      for (let change = 1; change <= changes; change += kind === 'package' ? 3 : 1) {
        faults.failFrom(change, 'ENOSPC', 'write', 'create');
        const error = await child.run(job);
        faults.none();
        expect(error, `change ${change} of ${changes}`).toMatch(
          /no space left on the disk\. Free some space and try again\.$|was not written whole\. Free some space on the disk/,
        );
        expect(error).toContain(folder);
        expect(readdirSync(folder)).toEqual([target]);
        expect(bytesOf(at(target))).toEqual(old);
      }
      expect(await child.run(job)).toBe(null);
    },
    TIMEOUT,
  );

  test(
    'from any change of a compiled model on leaves nothing behind, and the next run compiles',
    async () => {
      const job: Job = { kind: 'compile', model: source, into: at('models') };
      faults.none('write', 'create');
      expect(await child.run(job)).toBe(null);
      const changes = faults.calls;
      const names = readdirSync(at('models'));
      for (let change = 1; change <= changes; change++) {
        rmSync(at('models'), { recursive: true, force: true });
        faults.failFrom(change, 'ENOSPC', 'write', 'create');
        const error = await child.run(job);
        expect(error, `change ${change}`).toMatch(
          /: no space left on the disk\. Free some space and try again\.$/,
        );
        expect(readdirSync(folder, { recursive: true }).filter((name) => name !== 'models')).toEqual([]);
        faults.none();
      }
      expect(await child.run(job)).toBe(null);
      expect(readdirSync(at('models'))).toEqual(names);
    },
    TIMEOUT,
  );

  test(
    'makes a build without a cache, at any change of the cache',
    async () => {
      const index = join(workspace, 'index');
      const job: Job = { kind: 'build', documents, index, model, cache: at('cache') };
      faults.none('write', 'create');
      expect(await child.run(job)).toBe(null);
      const changes = faults.calls;
      expect(changes).toBeGreaterThan(2);
      const { version } = readManifest(index, undefined, true);
      for (let change = 1; change <= changes; change++) {
        rmSync(at('cache'), { recursive: true, force: true });
        faults.failFrom(change, 'ENOSPC', 'write', 'create');
        expect(await child.run(job)).toBe(null);
        faults.none();
        expect(readManifest(index, undefined, true).version).toBe(version);
        // Whatever is in the cache now, the next build reads the same from it.
        expect(await child.run(job)).toBe(null);
        expect(readManifest(index, undefined, true).version).toBe(version);
      }
    },
    TIMEOUT,
  );
});

describe('a disk that is read-only', () => {
  test(
    'answers questions, and is inspected',
    async () => {
      expect(await child.run({ kind: 'build', documents, index: at('index'), model })).toBe(null);
      const everywhere = new JobProcess({ ...faults.env, FAULTS_IN: '/' });
      await everywhere.ready();
      faults.failFrom(1, 'EROFS', 'write', 'create', 'rename', 'remove');
      expect(await everywhere.run({ kind: 'read', index: at('index') })).toBe(null);
      await everywhere.kill();
    },
    TIMEOUT,
  );

  test.each(REPLACING)(
    'refuses a %s with a sentence',
    async (_, job, target) => {
      expect(await child.run(job)).toBe(null);
      const old = bytesOf(at(target));
      faults.failFrom(1, 'EROFS', 'write', 'create', 'rename', 'remove');
      expect(await child.run(job)).toBe(
        `${folder}: the file system is read-only. Choose a folder that you can write to.`,
      );
      expect(readdirSync(folder)).toEqual([target]);
      expect(bytesOf(at(target))).toEqual(old);
    },
    TIMEOUT,
  );
});

describe('a kill before any rename', () => {
  test.each(REPLACING)(
    'of a %s leaves a whole folder, and the next run completes',
    async (_, job, target, part) => {
      const renames = await changesOf(job, 'rename');
      // The old folder is moved away, the new one takes its place, and the old one is marked for removal.
      expect(renames).toBe(3);
      const old = bytesOf(at(target));
      for (let rename = 1; rename <= renames; rename++) {
        faults.killBefore(rename, 'rename');
        expect(await child.run(job)).toBe('killed');
        faults.none();
        child = new JobProcess(faults.env);
        expect(readdirSync(folder).includes(target)).toBe(rename !== 2);
        const found = locateFolder(at(target));
        expect(bytesOf(found)[part]).toBe(old[part]);
        if (target === 'index') {
          readManifest(found, undefined, true);
          expect(await child.run({ kind: 'read', index: at('index') })).toBe(null);
        }
        expect(await child.run(job)).toBe(null);
        expect(readdirSync(folder)).toEqual([target]);
        expect(bytesOf(at(target))).toEqual(old);
      }
    },
    TIMEOUT,
  );

  test(
    'of a damaged model that is compiled again, the next run compiles it',
    async () => {
      const job: Job = { kind: 'compile', model: source, into: at('models') };
      expect(await child.run(job)).toBe(null);
      const compiled = join(at('models'), readdirSync(at('models'))[0]!);
      for (const rename of [1, 2, 3]) {
        appendFileSync(join(compiled, 'rows.bin'), 'x');
        faults.killBefore(rename, 'rename');
        expect(await child.run(job)).toBe('killed');
        faults.none();
        child = new JobProcess(faults.env);
        expect(await child.run(job)).toBe(null);
        readCompiledModel(compiled, true);
      }
      // Opening a model changes nothing, so only the next compilation removes the old folder.
      expect(readdirSync(at('models'))).toHaveLength(2);
      appendFileSync(join(compiled, 'rows.bin'), 'x');
      expect(await child.run(job)).toBe(null);
      expect(readdirSync(at('models'))).toHaveLength(1);
    },
    TIMEOUT,
  );
});

test('folders that a killed try to write has left do not stop the next build', async () => {
  const job: Job = { kind: 'build', documents, index: at('index'), model };
  expect(await child.run(job)).toBe(null);
  mkdirSync(at('index/.polyseek-Ab12Cd'));
  expect(await child.run(job)).toBe(null);
  expect(readdirSync(at('index'))).not.toContain('.polyseek-Ab12Cd');
});
