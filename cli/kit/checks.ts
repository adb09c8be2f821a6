import { execFileSync } from 'node:child_process';

/** `ok`, `warning` (something works only partly, or not at all without it), or `problem` (polyseek does not work). */
export type Status = 'ok' | 'warning' | 'problem';

/** One line of `polyseek doctor`. */
export interface Check {
  name: string;
  status: Status;
  /** What was found. */
  found: string;
  /** What to do, if something is wrong. */
  fix?: string;
}

/** A check and the heading that it belongs to. */
export type Checks = Record<string, Check[]>;

export const ok = (name: string, found: string): Check => ({ name, status: 'ok', found });

export const warning = (name: string, found: string, fix: string): Check => ({
  name,
  status: 'warning',
  found,
  fix,
});

/** The result of a function that throws an error with what is wrong and what to do. */
export async function check(
  name: string,
  run: () => Check | Promise<Check>,
  otherwise: Exclude<Status, 'ok'> = 'problem',
): Promise<Check> {
  try {
    return await run();
  } catch (error) {
    return { name, status: otherwise, found: error instanceof Error ? error.message : String(error) };
  }
}

/** The first line that a program prints, or undefined if it is not installed or fails. */
export function firstLineOf(program: string, ...args: string[]): string | undefined {
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    return execFileSync(program, args, { encoding: 'utf8', stdio, timeout: 10_000 }).split('\n')[0]!.trim();
  } catch {
    return undefined;
  }
}
