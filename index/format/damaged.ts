/**
 * The error for a file that contradicts its format.
 * @param name path of the file
 * @param problem the contradiction, as a clause
 */
export function damaged(name: string, problem: string): Error {
  return new Error(`${name} is damaged: ${problem}. Run npx polyseek index again.`);
}
