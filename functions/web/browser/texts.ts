import type { Counted } from '../../../index/format/overview-types.ts';
import ar from './texts/ar.json' with { type: 'json' };
import de from './texts/de.json' with { type: 'json' };
import en from './texts/en.json' with { type: 'json' };
import es from './texts/es.json' with { type: 'json' };
import fa from './texts/fa.json' with { type: 'json' };
import fr from './texts/fr.json' with { type: 'json' };
import he from './texts/he.json' with { type: 'json' };
import hi from './texts/hi.json' with { type: 'json' };
import it from './texts/it.json' with { type: 'json' };
import ja from './texts/ja.json' with { type: 'json' };
import ko from './texts/ko.json' with { type: 'json' };
import nl from './texts/nl.json' with { type: 'json' };
import pl from './texts/pl.json' with { type: 'json' };
import pt from './texts/pt.json' with { type: 'json' };
import ru from './texts/ru.json' with { type: 'json' };
import tr from './texts/tr.json' with { type: 'json' };
import uk from './texts/uk.json' with { type: 'json' };
import vi from './texts/vi.json' with { type: 'json' };
import zhHans from './texts/zh-Hans.json' with { type: 'json' };
import zhHant from './texts/zh-Hant.json' with { type: 'json' };

/** Name of a text. Names that start with `page.` or `widget.` are only in that bundle. */
export type TextName = keyof typeof en;

/** A text, or its forms by the plural category of `count`. `{name}` is a placeholder. */
export type Text = string | Partial<Record<Intl.LDMLPluralRule, string>>;

/** All texts by language. assets.ts removes those that a bundle does not use. */
export const TEXTS: Record<string, Record<TextName, Text>> = {
  ...{ en, de, fr, es, it, pt, nl, pl, ru, uk, tr, ar, fa, he, hi, ja, ko, vi },
  ...{ 'zh-Hans': zhHans, 'zh-Hant': zhHant },
};

export type Texts = ReturnType<typeof createTexts>;

/**
 * Returns the texts of the first of these languages (BCP 47) that has any, or else in English. Languages match by their script too:
 * Taiwan's `zh-TW` gets `zh-Hant`.
 */
export function createTexts(preferred: readonly string[]) {
  const lang = chooseLanguage(preferred);
  const texts = TEXTS[lang]!;
  const numbers = new Intl.NumberFormat(lang);
  const plurals = new Intl.PluralRules(lang);
  const lists = new Intl.ListFormat(lang, { type: 'unit', style: 'short' });
  const languages = new Intl.DisplayNames(lang, { type: 'language' });

  /** Returns a text with its placeholders filled. `count` also chooses the plural form. */
  function of(name: TextName, values: Record<string, string | number> = {}): string {
    const text = texts[name];
    const form =
      typeof text === 'string' ? text : (text[plurals.select(Number(values.count))] ?? text.other!);
    return form.replace(/\{(\w+)\}/g, (_found, placeholder: string) => {
      const value = values[placeholder] ?? '';
      return typeof value === 'number' ? numbers.format(value) : value;
    });
  }

  return {
    /** BCP 47 tag, for `lang`. */
    lang,
    dir: directionOf(lang) === 'rtl' ? 'rtl' : 'ltr',
    of,
    number: (value: number) => numbers.format(value),
    /** Name of a language without its variants: "German" for `de-1996`. Returns an invalid tag as it is. */
    languageName(tag: string): string {
      if (tag === 'und') return of('unknownLanguage');
      const locale = localeOf(tag);
      if (!locale) return tag;
      const { language, script, region } = locale;
      return languages.of([language, script, region].filter(Boolean).join('-')) ?? tag;
    },
    /** Puts the language's separators, such as `, `, between these items. */
    list<Item>(items: readonly Item[]): (Item | string)[] {
      let next = 0;
      const parts = lists.formatToParts([...items.keys()].map(String));
      return parts.map(({ type, value }) => (type === 'element' ? items[next++]! : value));
    },
  };
}

function chooseLanguage(preferred: readonly string[]): string {
  const available = Object.keys(TEXTS);
  for (const tag of preferred) {
    const found = available.find((one) => writtenForm(one) === writtenForm(tag));
    if (found) return found;
  }
  return 'en';
}

/** A language tag in its parts; undefined if it is not valid. */
function localeOf(tag: string): Intl.Locale | undefined {
  try {
    return new Intl.Locale(tag);
  } catch {
    return undefined;
  }
}

/** Language and script of a tag, such as `zh-Hant`; the tag itself if it is not valid. */
function writtenForm(tag: string): string {
  const locale = localeOf(tag)?.maximize();
  return locale ? `${locale.language}-${locale.script}` : tag;
}

/** The language that a tag or a part of a path names, without script and region: `en` for `en-US` and `eng`, `de` for `deu_1996`. */
export function languageIn(name: string): string | undefined {
  return /^[a-z]{2,3}(?![a-z\d])/i.test(name) ? localeOf(name.replaceAll('_', '-'))?.language : undefined;
}

/** Languages without regions and variants, as a filter on `de` includes `de-AT`. Most passages first. */
export function mergeLanguages(languages: readonly Counted[]): Counted[] {
  const merged = new Map<string, number>();
  for (const { value, passages } of languages) {
    const tag = /^[a-z]{2,3}(-[a-z]{4}\b)?/i.exec(value)?.[0] ?? value;
    merged.set(tag, (merged.get(tag) ?? 0) + passages);
  }
  const counted = [...merged].map(([value, passages]) => ({ value, passages }));
  return counted.sort((a, b) => b.passages - a.passages);
}

/** Attributes for text in a language, for direction, screen readers and hyphenation. */
export function inLanguage(lang: string): { lang: string; dir: string } {
  return { lang: lang === 'und' ? '' : lang, dir: directionOf(lang) };
}

/** `dir=auto` would use the first letter, but an Arabic passage may begin with a Latin name. */
function directionOf(lang: string): 'rtl' | 'ltr' | 'auto' {
  const { language = 'und', script } = localeOf(lang)?.maximize() ?? {};
  if (language === 'und' || !script) return 'auto';
  return /^(Adlm|Arab|Hebr|Mand|Nkoo|Rohg|Samr|Syrc|Thaa|Yezi)$/.test(script) ? 'rtl' : 'ltr';
}
