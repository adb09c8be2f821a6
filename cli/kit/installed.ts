import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Manifest {
  version?: string;
  devDependencies?: Record<string, string>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** What `polyseek deploy` needs beside polyseek. Most users of polyseek do not, so it does not depend on them. */
export const CDK_PACKAGES = ['aws-cdk', 'aws-cdk-lib', 'constructs'];

/** A package that the current folder's project can use. */
export interface Installed {
  version: string;
  folder: string;
}

/** Finds a package as a module of the current folder would. */
export function findInstalled(name: string): Installed | undefined {
  for (const from of [resolve('index.js'), fileURLToPath(import.meta.url)]) {
    for (const folder of createRequire(from).resolve.paths(name) ?? []) {
      const version = readManifest(join(folder, name))?.version;
      if (version) return { version, folder: join(folder, name) };
    }
  }
  return undefined;
}

/** The version of a package that this version of polyseek was tested with, as in its own package.json. */
export function testedVersion(name: string): string {
  const { devDependencies, dependencies, peerDependencies } = ownManifest();
  const version = devDependencies?.[name] ?? dependencies?.[name] ?? peerDependencies?.[name];
  if (version) return version;
  throw new Error(`package.json of polyseek has no version of ${name}. Report this as a bug.`);
}

/** The command that installs packages which polyseek was tested with. */
export const installCommand = (names: readonly string[]): string[] => [
  'npm',
  'install',
  '--save-dev',
  ...names.map((name) => `${name}@${testedVersion(name)}`),
];

/** package.json of polyseek. In the npm package, a package.json of the compiled code is nearer. */
function ownManifest(): Manifest {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (; folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = readManifest(folder);
    if (manifest?.devDependencies) return manifest;
  }
  throw new Error('polyseek is installed without its package.json. Install it again.');
}

function readManifest(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    return undefined;
  }
}
