import type { QuestionEmbedder } from './embedder.ts';

/** Wraps an embedder so that it embeds equal texts of a kind once. All vectors are kept. */
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
