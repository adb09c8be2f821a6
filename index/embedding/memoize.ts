import type { TextEmbedder } from './embedder.ts';

/** The same embedder, embedding equal texts of a kind once and keeping their vectors. */
export function memoize(embedder: TextEmbedder): TextEmbedder {
  const known = new Map<string, Promise<Float32Array>>();
  return {
    model: embedder.model,
    embed(text, kind) {
      const key = `${kind ?? ''}\0${text}`;
      const vector = known.get(key) ?? embedder.embed(text, kind);
      known.set(key, vector);
      return vector;
    },
  };
}
