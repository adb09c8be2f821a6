import { readFileSync } from 'node:fs';

/** Node's message for a package that is not installed, from `import` and `require`. */
const MISSING = /Cannot find (?:package|module) '((?:@[^/']+\/)?[^/']+)/;

/** The fix for an error about a package that few need, and that a user of the npm package installs. Undefined for other errors. */
export function installHint(message: string): string | undefined {
  const name = MISSING.exec(message)?.[1] ?? '';
  const { peerDependencies }: { peerDependencies: Record<string, string> } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  const version = peerDependencies[name]?.replace('^', '');
  return (
    version && `This needs the package ${name}, which is not installed. Run npm install ${name}@${version}.`
  );
}
