/**
 * Fuzzes a target with libFuzzer. Arguments: path of the driver, name of the target, seconds that an input may take, and libFuzzer's own
 * arguments, of which the first is the command for its child processes.
 */
import { createRequire } from 'node:module';
import { targets } from './targets.ts';

interface Driver {
  start(args: string[], secondsPerInput: number, run: (input: Buffer) => void): void;
  finish(isFine: boolean): void;
}

const [driver, name, seconds, ...args] = process.argv.slice(2) as [string, string, string];
const { start, finish } = createRequire(import.meta.url)(driver) as Driver;
const target = targets[name]!;

// Parsers give up parts of a damaged file in the background, as in the reading process.
process.on('unhandledRejection', () => {});
start(args, Number(seconds), async (input) => {
  try {
    await target(input);
    finish(true);
  } catch (error) {
    console.error(error);
    finish(false);
  }
});
