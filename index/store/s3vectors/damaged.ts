/** An object or row contradicts its format. */
class Damaged extends Error {}

/**
 * The error for a row or object in S3 that contradicts its format.
 * @param name of the row or object
 * @param problem the contradiction, as a clause
 */
export function damagedInS3(name: string, problem: string): Error {
  return new Damaged(
    `${name} is damaged: ${problem}. Run npx polyseek index --store s3vectors --rewrite to upload all passages again.`,
  );
}

/** Whether an error comes from `damagedInS3`. */
export function isDamage(error: unknown): boolean {
  return error instanceof Damaged;
}
