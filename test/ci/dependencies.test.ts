import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLock } from '../../functions/package/licence-notices.ts';
import { root } from '../fixtures/index.ts';

const manifest: Record<'dependencies' | 'devDependencies' | 'overrides', Record<string, string>> & {
  allowScripts: Record<string, boolean>;
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const packages = Object.entries(readLock()).filter(([folder]) => folder !== '');
const nameOf = (folder: string) => folder.split('node_modules/').at(-1)!;

test('no package runs a script when it is installed, and package.json names all that have one', () => {
  const withScript = packages
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path]) => nameOf(path));
  // It has no script in its manifest, but npm would compile its binding.gyp.
  const expected = [...new Set([...withScript, 'hnswlib-node'])].sort();
  expect(withScript.length).toBeGreaterThan(0);
  expect(Object.keys(manifest.allowScripts).sort()).toEqual(expected);
  expect(Object.values(manifest.allowScripts).filter((allowed) => allowed)).toEqual([]);
});

test('dependencies have exact versions, and archives a SHA-512', () => {
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }))
    expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
  // Packages inside another package's archive have no archive of their own.
  const archived = packages.filter(([, entry]) => !entry.inBundle);
  for (const [folder, { integrity }] of archived) expect(integrity, folder).toMatch(/^sha512-[\w+/]{86}==$/);
  expect(archived.length).toBeGreaterThan(500);
});
