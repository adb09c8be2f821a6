import type { Block } from '../document.ts';

/** The scripts of languages that write several, and names of scripts in `Intl.Locale` that Unicode does not have. */
const SCRIPTS: Record<string, string[]> = {
  Jpan: ['Hira', 'Kana', 'Han'],
  Hans: ['Han'],
  Hant: ['Han'],
  Kore: ['Hang', 'Han'],
  Aran: ['Arab'],
};

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
  for (const language of languages) {
    const tag = language?.trim().replaceAll('_', '-');
    if (tag && !PRESETS.has(tag.toLowerCase()) && fits(tag, sample)) return tag;
  }
  return undefined;
}

/** Whether most letters are of a language's script. */
function fits(tag: string, sample: string): boolean {
  const count = (...scripts: string[]) =>
    sample.match(new RegExp(scripts.map((script) => `\\p{Script=${script}}`).join('|'), 'gu'))?.length ?? 0;
  try {
    const script = new Intl.Locale(tag).maximize().script ?? '';
    const isJapanese = count('Hira', 'Kana') > LEAST_KANA * count('Han');
    if (script.startsWith('Han') && isJapanese) return false;
    return 2 * count(...(SCRIPTS[script] ?? [script])) > (sample.match(/\p{L}|\p{M}/gu)?.length ?? 0);
  } catch {
    // No language tag, or a script that Unicode does not know.
    return false;
  }
}
