import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileLibraries } from '../../../cli/npm/compile-libraries.ts';
import { type Architecture, isIntact, type LibraryName } from '../../../index/engine/native-sources.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const [own, other] = process.arch === 'arm64' ? ['arm64', 'x64'] : ['x64', 'arm64'];
const folder = temporaryFolder();

async function compile(name: LibraryName, architecture: Architecture): Promise<string> {
  const path = join(folder, `${name}-${architecture}.node`);
  writeFileSync(path, path);
  return path;
}

const has = (into: string, arch: string) =>
  ['engine', 'hnswlib'].map((name) => existsSync(join(into, `linux-${arch}/${name}.node`)));

test('the package may have the libraries of both processors, and has their sources', async () => {
  const into = join(folder, 'both');
  await compileLibraries(into, true, compile);
  expect([...has(into, own), ...has(into, other)]).toEqual([true, true, true, true]);
  expect(readFileSync(join(into, 'linux-arm64/hnswlib.node'), 'utf8')).toContain('hnswlib-arm64');
  expect(existsSync(join(into, 'engine/engine.cc'))).toBe(true);
  // The loader verifies them.
  for (const arch of [own, other])
    for (const name of ['engine', 'hnswlib'])
      expect(isIntact(join(into, `linux-${arch}/${name}.node`))).toBe(true);
});

test.runIf(process.platform === 'linux')('by default it has those of this machine', async () => {
  const into = join(folder, 'own');
  await compileLibraries(into, false, compile);
  expect([...has(into, own), ...has(into, other)]).toEqual([true, true, false, false]);
});
