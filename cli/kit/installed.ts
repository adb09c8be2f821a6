import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const read = (path: string | URL) => JSON.parse(readFileSync(path, 'utf8'));

/** package.json of polyseek; in the npm package, that of the compiled code. */
export const manifest: {
  version: string;
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
} = read(new URL('../../package.json', import.meta.url));

/** What `polyseek deploy` needs beside polyseek. Most users of polyseek do not, so it does not depend on them. */
export const CDK_PACKAGES = ['aws-cdk', 'aws-cdk-lib', 'constructs'];

/** Which of them are missing, and the arguments of npm that install the versions that polyseek was tested with. */
export function missingPackages(): { found: string; install: string[] } | undefined {
  const names = CDK_PACKAGES.filter((name) => !findInstalled(name));
  if (names.length === 0) return undefined;
  const versions = names.map((name) => `${name}@${manifest.devDependencies[name]}`);
  return {
    found: `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} not installed`,
    install: ['install', '--save-dev', ...versions],
  };
}

/** Finds a package as a module of the current folder would, or else one of polyseek. */
export function findInstalled(name: string): { version: string; folder: string } | undefined {
  for (const from of [resolve('index.js'), fileURLToPath(import.meta.url)])
    for (const modules of createRequire(from).resolve.paths(name) ?? []) {
      const folder = join(modules, name);
      try {
        return { version: read(join(folder, 'package.json')).version, folder };
      } catch {
        // It is not here.
      }
    }
  return undefined;
}
