/** What follows a quote mark in German. */
const GERMAN = new Map(
  [...'aäoöuüAÄOÖUÜsß'].flatMap((char, i, all) => (i % 2 === 0 ? [[char, all[i + 1]!] as const] : [])),
);
GERMAN.set('=', '-').set('~', '-').set('`', '„').set("'", '“').set('‘', '„');

/** Replaces the characters that TeX and babel join: quotes, dashes, and short forms in German. */
export function ligatures(text: string, lang: string | undefined): string {
  const plain = text
    .replaceAll('``', '“')
    .replaceAll("''", '”')
    .replaceAll('---', '—')
    .replaceAll('--', '–')
    .replaceAll('`', '‘')
    .replaceAll('~', ' ');
  // In German, a quote mark is a short form of accents, and of places to hyphenate.
  if (!lang?.startsWith('de') || !plain.includes('"')) return plain;
  return plain.replace(/"([aouAOUs`‘'=~|"-])/g, (_, char: string) => GERMAN.get(char) ?? '');
}
