import { Option } from 'commander';
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

/** Reads an option's value as a number within limits; commander shows the message. */
export function numberOption(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new Error(`${name} is ${JSON.stringify(text)}, but must be a number from ${min} to ${max}.`);
  };
}

/** `--mode`, the same for every command that searches. */
export function modeOption(): Option {
  const modes: Mode[] = ['hybrid', 'semantic', 'lexical'];
  return new Option('--mode <mode>', 'compare meaning and words, meaning alone or words alone')
    .choices(modes)
    .default('hybrid');
}
