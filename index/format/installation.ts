import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * How modules of this project end where this one runs. `.ts`: in a clone, which runs TypeScript through tsx. `.js`: in the npm package,
 * in the same folders. `.mjs`: in the builder's bundle, all in its top folder.
 */
const ENDING = extname(import.meta.url) as '.ts' | '.js' | '.mjs';
const IS_CLONE = ENDING === '.ts';

/**
 * The folder of the model that polyseek ships: its source in a clone, compiled in the npm package, and in the builder's bundle the one
 * of the function that it contains.
 */
export const SHIPPED_MODEL = fileURLToPath(
  new URL(ENDING === '.mjs' ? 'function/model' : '../model', import.meta.url),
);

/** The path of a folder of compiled models or libraries: in `build/` of a clone, and for the npm package in `.polyseek/` of the current folder. */
export function compiledFolder(name: string): string {
  return IS_CLONE
    ? fileURLToPath(new URL(`../../build/${name}`, import.meta.url))
    : resolve('.polyseek', name);
}

/**
 * Runs a module of this project in another process.
 * @param module URL of its source, relative to the caller's; the npm package and the builder run the JavaScript in its place
 */
export function forkModule(module: URL, args: string[] = [], options: ForkOptions = {}): ChildProcess {
  const path = fileURLToPath(module);
  // The process needs tsx for TypeScript, however this process was started.
  const loader = IS_CLONE ? ['--import', import.meta.resolve('tsx')] : [];
  const execArgv = [...loader, ...(options.execArgv ?? [])];
  return fork(path.replace(/\.ts$/, ENDING), args, { ...options, execArgv });
}
