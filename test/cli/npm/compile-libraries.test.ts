import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { compileLibraries } from '../../../cli/npm/compile-libraries.ts';
import { type Architecture, isIntact, type LibraryName } from '../../../index/engine/native-sources.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const ARCHITECTURES: Record<string, Architecture> = { x64: 'x86_64', arm64: 'arm64' };
const [own, other] = process.arch === 'arm64' ? ['arm64', 'x64'] : ['x64', 'arm64'];
const folder = temporaryFolder();

/** Writes each library, but fails for hnswlib on one processor, as without a cross-compiler. */
const failingFor = (missing?: string) => async (name: LibraryName, architecture: Architecture) => {
  if (name === 'hnswlib' && missing && ARCHITECTURES[missing] === architecture)
    throw new Error('the-compiler is not installed. Run apt-get install the-compiler.');
  const path = join(folder, `${name}-${architecture}.node`);
  writeFileSync(path, path);
  return path;
};

const has = (into: string, arch: string) =>
  ['engine', 'hnswlib'].map((name) => existsSync(join(into, `linux-${arch}/${name}.node`)));

test('the package has the libraries of both processors, and their sources', async () => {
  const [into, report] = [join(folder, 'both'), vi.fn()];
  await compileLibraries(into, report, failingFor());
  expect([...has(into, own), ...has(into, other)]).toEqual([true, true, true, true]);
  expect(readFileSync(join(into, 'linux-arm64/hnswlib.node'), 'utf8')).toContain('hnswlib-arm64');
  expect(existsSync(join(into, 'engine/engine.cc'))).toBe(true);
  // The loader verifies them.
  for (const arch of [own, other])
    for (const name of ['engine', 'hnswlib'])
      expect(isIntact(join(into, `linux-${arch}/${name}.node`))).toBe(true);
  expect(report).not.toHaveBeenCalled();
});

test.runIf(process.platform === 'linux')(
  'without a cross-compiler it has those of this machine',
  async () => {
    const [into, report] = [join(folder, 'own'), vi.fn()];
    await compileLibraries(into, report, failingFor(other));
    expect([...has(into, own), ...has(into, other)]).toEqual([true, true, false, false]);
    expect(report.mock.calls).toEqual([
      [
        `The package leaves out the libraries for linux-${other}. the-compiler is not installed. Run apt-get install the-compiler.`,
      ],
    ]);
    await expect(compileLibraries(into, report, failingFor(own))).rejects.toThrow(
      'the-compiler is not installed',
    );
  },
);
