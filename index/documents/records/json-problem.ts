/** Why a text is not JSON, from the error of `JSON.parse`, on one line: V8 quotes the text, line ends and all. */
export function jsonProblem(error: unknown): string {
  return (error as Error).message.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 200);
}
