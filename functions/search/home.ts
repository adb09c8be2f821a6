/** What only some endpoints do, for the page and the widget. */
export interface Offers {
  writesAnswers?: true;
  takesFeedback?: true;
}

/**
 * The content of `GET /` for programs.
 * @param base URL of the endpoint or collection
 * @param question for the example
 */
export function home(
  base: string,
  question: string,
  collections: readonly string[],
  { writesAnswers, takesFeedback }: Offers,
): object {
  return {
    name: 'polyseek',
    example: `${base}/search?${new URLSearchParams({ q: question })}`,
    routes: [
      'GET /search',
      'POST /search',
      'GET /passages/{id}',
      'POST /mcp',
      ...(writesAnswers ? ['POST /answer'] : []),
      ...(takesFeedback ? ['POST /feedback'] : []),
      'GET /health',
      'GET /overview',
      'GET /openapi.json',
      'GET /widget.js',
    ],
    // Each has all of these routes.
    ...(collections.length > 0 && { collections: collections.map((name) => `/c/${name}`) }),
    openapi: `${base}/openapi.json`,
  };
}
