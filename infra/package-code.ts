import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readsElsewhere, type Settings } from './schema.ts';

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
 * Packages the search function in `.polyseek/functions/`, with its indexes if they are on this machine.
 * @returns the folder of the packaged function
 * @throws with the command's own message
 */
export function packageSearch(settings: Settings): string {
  const { index, collections, architecture } = settings;
  if (readsElsewhere(settings))
    return packageOnce(`no-index-${architecture}`, ['--no-index', '--arch', architecture]);
  const others = Object.entries(collections).map(([name, folder]) => `${name}=${folder}`);
  const id = createHash('sha256')
    .update([resolve(index), ...others].join('\n'))
    .digest('hex')
    .slice(0, 8);
  const flags = ['--index', index, '--arch', architecture];
  return packageOnce(`${id}-${architecture}`, [
    ...flags,
    ...others.flatMap((other) => ['--collection', other]),
  ]);
}

/**
 * Packages the builder in `.polyseek/functions/`.
 * @returns the folder of the packaged function
 * @throws with the command's own message
 */
export function packageBuilder({ architecture }: Settings): string {
  return packageOnce(`builder-${architecture}`, ['--builder', '--arch', architecture]);
}

/** Runs `npx polyseek package`. CDK's constructors are synchronous, so a child process does the work. */
function packageOnce(name: string, flags: string[]): string {
  const out = join('.polyseek/functions', name);
  if (packaged.has(resolve(out))) return out;
  try {
    execFileSync(process.execPath, [...loader(), POLYSEEK, 'package', ...flags, '--out', out], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
      maxBuffer: 2 ** 26,
    });
  } catch (error) {
    const { stderr = '', message } = error as Failure;
    throw new Error(stderr.toString().trim() || message, { cause: error });
  }
  packaged.add(resolve(out));
  return out;
}
