import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Whether this is a clone, which runs TypeScript through tsx. The npm package contains JavaScript. */
const IS_CLONE = import.meta.url.endsWith('.ts');

/** The default folder of the index for all commands, in the current folder. */
export const DEFAULT_INDEX = '.polyseek/index';

/** The path of a folder of compiled models or libraries: in `build/` of a clone, and for the npm package in `.polyseek/` of the current folder. */
export function compiledFolder(name: string): string {
  return IS_CLONE
    ? fileURLToPath(new URL(`../../build/${name}`, import.meta.url))
    : resolve('.polyseek', name);
}

/**
 * Runs a module of this project in another process.
 * @param module URL of its source; the npm package runs the JavaScript in its place
 */
export function forkModule(module: URL, args: string[] = [], options: ForkOptions = {}): ChildProcess {
  const path = fileURLToPath(module);
  // The process needs tsx for TypeScript, however this process was started.
  const loader = IS_CLONE ? ['--import', import.meta.resolve('tsx')] : [];
  const execArgv = [...loader, ...(options.execArgv ?? [])];
  return fork(IS_CLONE ? path : path.replace(/\.ts$/, '.js'), args, { ...options, execArgv });
}
