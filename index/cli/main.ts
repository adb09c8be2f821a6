import { Option } from 'commander';
import { DEFAULT_MODEL } from '../compile/compile.ts';
import type { Mode } from '../search/answer.ts';

/** Runs a command; an error becomes its sentence on standard error and exit code 1. */
export async function main(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

/** Reads an option's value as a number within limits, whole for `kind` 'a whole number'; throws the sentence that says what it must be. */
export function numberOption(
  name: string,
  min: number,
  max: number,
  kind: 'a number' | 'a whole number',
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const fits = kind === 'a number' || Number.isInteger(value);
    if (text.trim() !== '' && value >= min && value <= max && fits) return value;
    throw new Error(`${name} is ${JSON.stringify(text)}, but must be ${kind} from ${min} to ${max}.`);
  };
}

/** `--mode`, the same for every command that searches. */
export function modeOption(): Option {
  const modes: Mode[] = ['hybrid', 'semantic', 'lexical'];
  return new Option('--mode <mode>', 'compare meaning and words, meaning alone or words alone')
    .choices(modes)
    .default('hybrid');
}

/** `--model`, the same for every command that takes a model folder. */
export function modelOption(does = 'model folder'): Option {
  return new Option('--model <dir>', does).default(DEFAULT_MODEL, 'index/model');
}
