import type { Block } from '../document.ts';

/** Letters of the scripts that tell languages apart, with their names in `Intl.Locale`. Han and kana are below. */
const SCRIPTS: [letters: RegExp, names: string[]][] = [
  [/\p{Script=Latn}/gu, ['Latn']],
  [/\p{Script=Cyrl}/gu, ['Cyrl']],
  [/\p{Script=Arab}/gu, ['Arab', 'Aran']],
  [/\p{Script=Hebr}/gu, ['Hebr']],
  [/\p{Script=Grek}/gu, ['Grek']],
  [/\p{Script=Hang}/gu, ['Kore']],
  [/\p{Script=Deva}/gu, ['Deva']],
  [/\p{Script=Thai}/gu, ['Thai']],
];
const HAN = /\p{Script=Han}/gu;
const KANA = /\p{Script=Hira}|\p{Script=Kana}/gu;

/** Word and LibreOffice write these into files in any language. */
const PRESETS = new Set(['en-us', 'zh-cn', 'ar-sa', 'hi-in']);

/** How much text is enough to know its script, in UTF-16 code units. */
const SAMPLE = 20_000;
/** Japanese text has a kana for every few characters, Chinese text only in quotations. */
const LEAST_KANA = 0.1;

/**
 * The first of the languages that fits the script of the text. Office programs declare up to three languages for all text, of which
 * one applies. The presets of the programs count as undeclared.
 * @param languages tags as declared, most likely first
 */
export function fittingLanguage(
  languages: Iterable<string | undefined>,
  blocks: Block[],
): string | undefined {
  let sample = '';
  for (const { text } of blocks) {
    sample += `${text.slice(0, SAMPLE)} `;
    if (sample.length > SAMPLE) break;
  }
  const scripts = scriptOf(sample);
  for (const language of languages) {
    const tag = language?.trim().replaceAll('_', '-');
    if (tag && !PRESETS.has(tag.toLowerCase()) && scripts?.includes(usualScript(tag) ?? '')) return tag;
  }
  return undefined;
}

/** The names of the script that most letters have. */
function scriptOf(text: string): string[] | undefined {
  const count = (letters: RegExp) => text.match(letters)?.length ?? 0;
  const han = count(HAN);
  const kana = count(KANA);
  const eastAsian = kana > LEAST_KANA * han ? ['Jpan'] : ['Hans', 'Hant', 'Jpan'];
  let best = { names: eastAsian, count: han + kana };
  for (const [letters, names] of SCRIPTS) {
    const letterCount = count(letters);
    if (letterCount > best.count) best = { names, count: letterCount };
  }
  return best.count > 0 ? best.names : undefined;
}

function usualScript(tag: string): string | undefined {
  try {
    return new Intl.Locale(tag).maximize().script;
  } catch {
    return undefined;
  }
}
