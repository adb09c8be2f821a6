const names = new Intl.DisplayNames('en', { type: 'language' });

/** English name of a language tag without its variants: "German" for `de-1996`. An invalid tag is returned as it is. */
export function languageName(tag: string): string {
  if (tag === 'und') return 'Unknown language';
  try {
    const { language, script, region } = new Intl.Locale(tag);
    return names.of([language, script, region].filter(Boolean).join('-')) ?? tag;
  } catch {
    return tag;
  }
}

/** Attributes for text in a language, for direction, screen readers and hyphenation. */
export function inLanguage(lang: string): { lang: string; dir: string } {
  return { lang: lang === 'und' ? '' : lang, dir: directionOf(lang) };
}

// `dir=auto` would use the first letter, but an Arabic passage may begin with a Latin name.
function directionOf(lang: string): string {
  try {
    const { language, script } = new Intl.Locale(lang).maximize();
    if (language === 'und' || !script) return 'auto';
    return /^(Adlm|Arab|Hebr|Mand|Nkoo|Rohg|Samr|Syrc|Thaa|Yezi)$/.test(script) ? 'rtl' : 'ltr';
  } catch {
    return 'auto';
  }
}
