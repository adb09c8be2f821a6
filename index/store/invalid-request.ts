/** A valid request that this index cannot answer. The message says what to change. */
export class InvalidRequest extends Error {
  readonly isInvalidRequest = true;
  /** The message without what the caller sent, for logs. */
  readonly unquoted: string;

  constructor(message: string, unquoted = message) {
    super(message);
    this.unquoted = unquoted;
  }

  /** The function's code for S3 Vectors is a bundle of its own, with its own copy of this class. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && 'isInvalidRequest' in value;
  }
}
