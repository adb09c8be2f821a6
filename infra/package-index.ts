import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Settings } from './schema.ts';

/** The command line, compiled (.js) in the installed package or as source (.ts) in a clone. */
const POLYSEEK = fileURLToPath(new URL(`../cli/polyseek${extname(import.meta.url)}`, import.meta.url));

/** Node's flags for the command line. The hooks of tsx are found from here, as the current folder may be another project. */
const loader = () =>
  extname(POLYSEEK) === '.ts'
    ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
    : [];

/** What a failed process has printed. */
type Failure = Error & { stderr?: Buffer };

/** Folders that this process has packaged: several stages may contain the same index. */
const packaged = new Set<string>();

/**
 * Packages an index in `.polyseek/functions/`. CDK's constructors are synchronous, so a child process does the work.
 * @returns the folder of the packaged function
 * @throws with the command's own message
 */
export function packageIndex({ index, collections, architecture }: Settings): string {
  const others = Object.entries(collections).map(([name, folder]) => `${name}=${folder}`);
  const id = createHash('sha256')
    .update([resolve(index), ...others].join('\n'))
    .digest('hex')
    .slice(0, 8);
  const out = join('.polyseek/functions', `${id}-${architecture}`);
  if (packaged.has(resolve(out))) return out;
  const flags = ['--index', index, '--out', out, '--arch', architecture];
  try {
    execFileSync(
      process.execPath,
      [...loader(), POLYSEEK, 'package', ...flags, ...others.flatMap((other) => ['--collection', other])],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 2 ** 26 },
    );
  } catch (error) {
    const { stderr = '', message } = error as Failure;
    throw new Error(stderr.toString().trim() || message, { cause: error });
  }
  packaged.add(resolve(out));
  return out;
}
