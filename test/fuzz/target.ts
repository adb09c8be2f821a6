import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Format, readSections, writeSections } from '../../index/format/container.ts';

/** Handles any input. Throws only if it finds a defect. */
export type Target = (input: Buffer) => void | Promise<void>;

/** Errors of JavaScript itself say nothing to a user. */
const RAW = [TypeError, RangeError, ReferenceError, SyntaxError, URIError, EvalError];

/** Whether an error is of JavaScript itself. */
const isRaw = (error: unknown) => !(error instanceof Error) || RAW.some((type) => error instanceof type);

/** Whether an error tells a user what happened: a sentence that starts with a name, such as that of a file. */
function isClear(error: unknown, name = ''): boolean {
  if (!(error instanceof Error) || isRaw(error) || 'errno' in error) return false;
  return error.message.startsWith(name) && /^[^\n]+[.)]$/.test(error.message);
}

/** Runs a function that may return, or throw a clear error. Throws any other error. */
export async function expectClear(name: string, run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!isClear(error, name)) throw error;
  }
}

/** Runs a function that may return, or throw any error but those of JavaScript itself. */
export async function expectNoRaw(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (isRaw(error)) throw error;
  }
}

let folder: string | undefined;

/** Writes a file into a folder in memory, where the system has one. The folder is removed when the process ends. */
export function temporaryFile(name: string, bytes: Uint8Array): string {
  if (!folder) {
    const created = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'polyseek-fuzz-'));
    process.on('exit', () => rmSync(created, { recursive: true, force: true }));
    folder = created;
  }
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/**
 * A file of sections from an input. Mutations of a whole file rarely keep its head valid, so inputs that start with an odd byte contain
 * the sections alone: the length of each (u16), then their bytes.
 */
export function sectionFile(format: Format, input: Buffer): Uint8Array {
  if (input.length === 0 || input[0]! % 2 === 0) return input.subarray(1);
  let at = 1 + 2 * format.sections;
  if (input.length < at) return input.subarray(1);
  const sections = Array.from({ length: format.sections }, (_, i) => {
    const start = at;
    at = Math.min(input.length, at + input.readUInt16LE(1 + 2 * i));
    return input.subarray(start, at);
  });
  return writeSections(format, sections);
}

/** The inputs from which `sectionFile` makes a file. */
export function sectionInputs(format: Format, file: Uint8Array): Buffer[] {
  const sections = readSections(file, format, 'seed');
  const lengths = Buffer.alloc(2 * sections.length);
  for (const [i, { length }] of sections.entries()) lengths.writeUInt16LE(length, 2 * i);
  return [Buffer.concat([Buffer.of(1), lengths, ...sections]), Buffer.concat([Buffer.of(0), file])];
}

/** The text of an input as a JSON object, or undefined. */
export function jsonObject(input: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(input.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
