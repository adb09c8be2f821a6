import type { QuestionEmbedder } from './embedder.ts';

/** Wraps an embedder so that it embeds equal texts of a kind once. All results are kept. */
export function memoize(embedder: QuestionEmbedder): QuestionEmbedder {
  const { model, byToken } = embedder;
  const question = byToken && once(byToken.question);
  const passage = byToken && once(byToken.passage);
  return {
    model,
    tokens: (text, kind) => embedder.tokens(text, kind),
    embed: once(async (text, kind) => {
      // The same vectors: a search with token states needs that of the question too, and an index with them has that of the passage.
      if (question && kind === 'query') return (await question(text)).vector;
      const embedded = kind === 'passage' && passage?.known(text);
      return embedded ? (await embedded).vector : embedder.embed(text, kind);
    }),
    ...(byToken && question && passage && { byToken: { ...byToken, passage, question } }),
  };
}

function once<Kind, Result>(compute: (text: string, kind?: Kind) => Promise<Result>) {
  const results = new Map<string, Promise<Result>>();
  const keyOf = (text: string, kind?: Kind) => `${kind ?? ''}\0${text}`;
  const get = (text: string, kind?: Kind): Promise<Result> => {
    const result = results.get(keyOf(text, kind)) ?? compute(text, kind);
    results.set(keyOf(text, kind), result);
    return result;
  };
  return Object.assign(get, { known: (text: string) => results.get(keyOf(text)) });
}
