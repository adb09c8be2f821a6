/**
 * The error for a file that contradicts its format.
 * @param name path of the file
 * @param problem a clause that says what is wrong
 */
export function damaged(name: string, problem: string): Error {
  return new Error(`${name} is damaged: ${problem}. Run npm run build-index again.`);
}
