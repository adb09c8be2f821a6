/** Longer lines have no marks of the layout. */
const LONG = 200;

/** Markers of list items: `- `, `• `, `1. `, `(a) `, `一、`, `（二）`, `①`. */
const ITEM =
  /^(?:[-*+•‣·–—○□▪▶■●◆▲]\s|o\s{2,}|[•‣▪▶・]|[（(]?\d{1,3}[.)）]\s|[（(](?:\p{L}|[ivx]{2,4})[)）]\s|(?:[a-zA-Z]|[ivx]{2,4})[.)]\s|[（(]?[一二三四五六七八九十]{1,3}[、）)]|[①-⑳])/u;

/**
 * The bullet or number at the start of a list item, or undefined for other lines. Numbers and letters become `0`, so that all items
 * of a list have the same marker.
 */
export function itemMarker(line: string): string | undefined {
  return ITEM.exec(line)?.[0]
    .trim()
    .replace(/[\p{L}\p{N}]+/gu, '0');
}

/** Whether a line has no letter and no digit: a rule, a row of stars, a border. */
export function isRule(line: string): boolean {
  return !/[\p{L}\p{N}]/u.test(line);
}

/** Whether a line underlines the one above it: one character, repeated. */
export function isUnderline(line: string): boolean {
  return /^([=\-~^*#"'+_.:─━═])\1{2,}$/u.test(line);
}

/** `2`, `2.3`, `2.3.`, `A.1` and the title after it. */
const NUMBERED = /^((?:\d{1,3}|[A-Z](?=\.\d))(?:\.\d{1,3}){0,5})([.):]{0,2})[\s\u3000]+(?=\S)/u;

/** How many levels the number before a title has, or 0. */
export function numberDepth(line: string): number {
  const match = NUMBERED.exec(line);
  if (!match) return 0;
  const levels = match[1]!.split('.').length;
  // `3 apples` is no title.
  return levels === 1 && match[2] === '' ? 0 : levels;
}

/** `Chapter 3`, `Section 3.`, `Article I`, `第3章`, `제3장`, `Глава 2`, `§ 4`, in the languages of the world's larger libraries. */
const DIVISION = new RegExp(
  `^(?:${[
    '(?:book|part|chapter|section|article|appendix|annex|act|scene|canto|lesson|teil|buch|kapitel|abschnitt|artikel|anhang|anlage',
    'livre|partie|chapitre|section|titre|annexe|libro|parte|cap[ií]tulo|secci[oó]n|se[cç][cç][aã]o|anexo|ap[eé]ndice|ap[eê]ndice',
    'capitolo|sezione|articolo|appendice|hoofdstuk|deel|afdeling|bijlage|cap[ií]tol|secci[oó]|rozdzia[lł]|cz[eę][sś][cć]|ksi[eę]ga',
    'kapitola|[cč][aá]st|odd[ií]l|b[oö]l[uü]m|k[ıi]s[ıi]m|madde|ek|глава|часть|раздел|статья|приложение|ponto|punto|ch[uư][oơ]ng|ph[aầ]n',
    'fejezet|luku|osa|avsnitt|del|bilaga)\\s+(?:\\d{1,4}|[ivxlcdm]{1,7}|[a-z])(?![\\p{L}\\p{N}])',
    '(?:chapitre premier|chapter the \\p{L}+)',
    '第\\s*[\\d０-９一二三四五六七八九十百零〇]{1,5}\\s*[章节節回篇部编編卷条條課课话話]',
    '제\\s*\\d{1,3}\\s*[장절조부편]',
    '\\d{1,3}\\s*[장절]\\.',
    'บทที่\\s*[\\d๐-๙]+',
    '(?:अध्याय|भाग|खंड)\\s*[\\d०-९]+',
    '(?:الفصل|الباب|المادة|القسم)\\s+\\S+',
    '§{1,2}\\s*\\d+',
  ].join('|')})`,
  'iu',
);

/** Whether a line begins with the name and number of a division, such as a chapter. */
export function isDivision(line: string): boolean {
  return line.length < LONG && DIVISION.test(line);
}

/** Whether all letters are capitals, of which there are at least two. */
export function isAllCaps(line: string): boolean {
  return !/[\p{Ll}\p{Lo}]/u.test(line) && /\p{Lu}\P{Lu}*\p{Lu}/u.test(line);
}

/** A number of a section without its title: `2.3`, `C.1.2`. */
export function isSectionNumber(line: string): boolean {
  return line.length < 14 && /^(?:\d{1,3}|[A-Z])(?:\.\d{1,3})+\.?$/.test(line);
}

/** What prose and headings begin with: a capital, a letter without case, or a digit. */
export function hasProseStart(line: string): boolean {
  return /^(?:§+ ?)?["'`“„«‘¿¡([《〈「『―—]*[\p{Lu}\p{Lo}\p{N}]|\p{Lo}/u.test(line.slice(0, 40));
}

/** Whether a line is one of a table of contents: dots lead to a page number. */
export function hasDotLeader(line: string): boolean {
  if (!line.includes('...') && !line.includes('. . .')) return false;
  return /(?:\. ?){4,}\s*[\divxlc]{0,6}$/iu.test(line.slice(-40));
}

/** The quotation marks of an e-mail before a line: `>>`. */
export function quotePrefix(line: string): string {
  return line.startsWith('>') ? line.match(/^(?:> ?)+/)![0].replaceAll(' ', '') : '';
}

/** Whether a line is only a Roman number in capitals, which numbers a chapter. */
export function isRoman(line: string): boolean {
  return /^[IVXL]{1,6}\.?$/.test(line);
}

/** Whether a line is only a page number: `12`, `- 12 -`, `[Page 12]`, `xii`. */
export function isPageNumber(line: string): boolean {
  return (
    line.length < 20 &&
    !isRoman(line) &&
    /^[[(\-–— ]*(?:page\s+|seite\s+|p\.\s*)?(?:\d{1,4}|[ivxl]{1,6})[\])\-–— ]*$/iu.test(line)
  );
}

/** The first and last line of a page of a manual: `LS(1)   User Commands   LS(1)`. */
export function isManualHeader(line: string): boolean {
  return line.length < LONG && /^(\S+\(\w{1,4}\))\s.*\s\1$/u.test(line);
}
