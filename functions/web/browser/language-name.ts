/**
 * Returns a function that names language tags without their variants: "German" for `de-1996`. It returns an invalid tag as it is.
 * @param lang language of the names
 * @param unknown name of `und`
 */
export function languageNames(lang: string, unknown: string): (tag: string) => string {
  const names = new Intl.DisplayNames(lang, { type: 'language' });
  return (tag) => {
    if (tag === 'und') return unknown;
    try {
      const { language, script, region } = new Intl.Locale(tag);
      return names.of([language, script, region].filter(Boolean).join('-')) ?? tag;
    } catch {
      return tag;
    }
  };
}

/** Attributes for text in a language, for direction, screen readers and hyphenation. */
export function inLanguage(lang: string): { lang: string; dir: string } {
  return { lang: lang === 'und' ? '' : lang, dir: directionOf(lang) };
}

/** `dir=auto` would use the first letter, but an Arabic passage may begin with a Latin name. */
export function directionOf(lang: string): 'rtl' | 'ltr' | 'auto' {
  try {
    const { language, script } = new Intl.Locale(lang).maximize();
    if (language === 'und' || !script) return 'auto';
    return /^(Adlm|Arab|Hebr|Mand|Nkoo|Rohg|Samr|Syrc|Thaa|Yezi)$/.test(script) ? 'rtl' : 'ltr';
  } catch {
    return 'auto';
  }
}
