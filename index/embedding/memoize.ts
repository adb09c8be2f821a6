import type { QuestionEmbedder } from './embedder.ts';

/** Wraps an embedder so that it embeds equal texts of a kind once. All results are kept. */
export function memoize(embedder: QuestionEmbedder): QuestionEmbedder {
  const { model, byToken } = embedder;
  const question = byToken && once(byToken.question);
  return {
    model,
    tokens: (text, kind) => embedder.tokens(text, kind),
    embed: once(async (text, kind) =>
      // The same vector, which a search with token states needs too.
      question && kind === 'query' ? (await question(text)).vector : embedder.embed(text, kind),
    ),
    ...(byToken && question && { byToken: { ...byToken, passage: once(byToken.passage), question } }),
  };
}

function once<Kind, Result>(
  compute: (text: string, kind?: Kind) => Promise<Result>,
): (text: string, kind?: Kind) => Promise<Result> {
  const known = new Map<string, Promise<Result>>();
  return (text, kind) => {
    const key = `${kind ?? ''}\0${text}`;
    const result = known.get(key) ?? compute(text, kind);
    known.set(key, result);
    return result;
  };
}
