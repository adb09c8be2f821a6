import type { QuestionEmbedder } from './embedder.ts';

/** The same embedder, embedding equal texts of a kind once and keeping their vectors. */
export function memoize(embedder: QuestionEmbedder): QuestionEmbedder {
  const known = new Map<string, Promise<Float32Array>>();
  return {
    model: embedder.model,
    tokens: (text, kind) => embedder.tokens(text, kind),
    embed(text, kind) {
      const key = `${kind ?? ''}\0${text}`;
      const vector = known.get(key) ?? embedder.embed(text, kind);
      known.set(key, vector);
      return vector;
    },
  };
}
