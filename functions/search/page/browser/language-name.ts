const names = new Intl.DisplayNames('en', { type: 'language' });

/** English name of a language tag without its variants: "German" for `de-1996`. A tag that is none is its own name. */
export function languageName(tag: string): string {
  if (tag === 'und') return 'Unknown language';
  try {
    const { language, script, region } = new Intl.Locale(tag);
    return names.of([language, script, region].filter(Boolean).join('-')) ?? tag;
  } catch {
    return tag;
  }
}

/** Attributes of text in a language, so that it is set, read out and hyphenated as such. */
export function inLanguage(lang: string): { lang: string; dir: string } {
  return { lang: lang === 'und' ? '' : lang, dir: directionOf(lang) };
}

// Not by the first letter (`dir=auto`): an Arabic passage may begin with a Latin name.
function directionOf(lang: string): string {
  try {
    const { language, script } = new Intl.Locale(lang).maximize();
    if (language === 'und' || !script) return 'auto';
    return /^(Adlm|Arab|Hebr|Mand|Nkoo|Rohg|Samr|Syrc|Thaa|Yezi)$/.test(script) ? 'rtl' : 'ltr';
  } catch {
    return 'auto';
  }
}
