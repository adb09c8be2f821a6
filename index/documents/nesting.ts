import { Unreadable } from './file.ts';

/**
 * Maximum depth of records and Markdown. Documents written by people stay below 20 levels. The Markdown parser's time grows with
 * the square of the depth, and recursion over thousands of levels overflows the call stack.
 */
export const MAX_DEPTH = 100;

/** The error for something that nests deeper than `limit`. `place` is a file, or `file:line`. */
export function nestedTooDeep(place: string, limit = MAX_DEPTH): Error {
  return new Unreadable(place, `nested more than ${limit} levels deep`, 'Flatten it and try again.');
}

/** Whether a JSON value nests deeper than `MAX_DEPTH`. Without recursion, since it may be too deep for that. */
export function isTooDeep(value: unknown): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((item) => Object.values(item)).filter(isContainer);
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
