/** Why a text is not JSON, from the error of `JSON.parse`. */
export function jsonProblem(error: unknown): string {
  return onOneLine((error as Error).message);
}

/** The message of a parser on one line. Parsers quote the text, line ends and all. */
export function onOneLine(message: string): string {
  return message.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 200);
}
