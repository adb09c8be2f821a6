/**
 * The error for a file that contradicts its format.
 * @param name path of the file
 * @param problem the contradiction, as a clause
 */
export function damaged(name: string, problem: string): Error {
  return new Error(`${name} is damaged: ${problem}. Run npx polyseek index again.`);
}

/** The error for a file of a packaged function that differs from the packaged one. */
export function damagedInPackage(name: string, problem: string): Error {
  return new Error(`${name} is damaged: ${problem}. Package and deploy the function again.`);
}
