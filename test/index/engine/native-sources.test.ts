import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { compileForLambda, compileLibrary, libraryPath } from '../../../index/engine/compile-engine.ts';
import { libraryOrigin } from '../../../index/engine/load-native.ts';
import { loadChecked } from '../../../index/engine/load-packaged.ts';
import { digestPath, isIntact, requireIntact, writeDigest } from '../../../index/engine/native-sources.ts';
import { writeChecks } from '../../../index/format/checks.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const NAMES = ['engine', 'hnswlib'] as const;

/** Copies a library, compiled for this machine, and returns its path. */
function place(name: (typeof NAMES)[number]): string {
  const library = join(folder, `${name}.node`);
  cpSync(compileLibrary(name), library);
  return library;
}

/** Flips bits in the header, the middle and the end of a file, one at a time, and restores it. */
function eachFlip(path: string, check: () => void): void {
  const bytes = readFileSync(path);
  for (const at of [18, bytes.length >> 1, bytes.length - 1]) {
    writeFileSync(path, bytes.with(at, bytes[at]! ^ 4));
    check();
  }
  writeFileSync(path, bytes);
}

test.each(NAMES)('a packaged %s is loaded only if its checksums are right', (name) => {
  const library = place(name);
  writeChecks(folder, [`${name}.node`]);
  const load = () => loadChecked<object>(pathToFileURL(`${folder}/`), `${name}.node`);
  // Loading these would end the process, or not.
  eachFlip(library, () =>
    expect(load).toThrow(
      /\.node is damaged: the checksum of its block \d+ differs\. Package and deploy the function again\.$/,
    ),
  );
  expect(load()).toHaveProperty(name === 'engine' ? 'kernels' : 'HierarchicalNSW');
});

test.each(NAMES)('a damaged %s of the npm package is refused', (name) => {
  const library = place(name);
  writeDigest(library);
  const expected = `${library} is damaged: its SHA-256 is not the one in ${name}.node.sha256. Install polyseek again.`;
  eachFlip(library, () => expect(() => requireIntact(library)).toThrow(expected));
  requireIntact(library);
  rmSync(digestPath(library));
  expect(() => requireIntact(library)).toThrow(expected);
});

test.runIf(process.platform === 'linux')('a damaged compiled library is compiled again', async () => {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  const compiler = join(folder, 'compiler');
  const source = place('engine');
  writeFileSync(compiler, `#!/bin/sh\ncp ${source} engine.node\n`, { mode: 0o755 });
  vi.stubEnv('CXX', compiler);
  const library = libraryPath(architecture);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    for (const path of [library, digestPath(library)]) rmSync(path, { force: true });
  });
  const compile = () => compileForLambda('engine', architecture);
  await compile();
  expect(libraryOrigin('engine', architecture)).toBe('compiled');
  const bytes = readFileSync(library);
  writeFileSync(library, bytes.with(18, bytes[18]! ^ 4));
  expect(libraryOrigin('engine', architecture)).toBe(undefined);
  expect(await compile()).toBe(library);
  expect(readFileSync(library).equals(bytes)).toBe(true);
  // As after a kill between the two files, or an older version.
  rmSync(digestPath(library));
  expect(isIntact(await compile())).toBe(true);
});
