/** Commands that are characters. */
export const SYMBOLS = new Map(
  `ss ß SS ẞ ae æ AE Æ oe œ OE Œ o ø O Ø aa å AA Å l ł L Ł i ı j ȷ dh ð DH Ð th þ TH Þ dj đ DJ Đ ng ŋ NG Ŋ ldots … dots … textellipsis … copyright © textcopyright ©
  textregistered ® texttrademark ™ pounds £ textsterling £ euro € texteuro € EUR € S § P ¶ textsection § textparagraph ¶ dag † ddag ‡ textdagger † textbullet • textdegree ° degree °
  textbackslash \\ textasciitilde ~ textasciicircum ^ textunderscore _ textbar | textless < textgreater > textbraceleft { textbraceright } textdollar $ textquotedblleft “
  textquotedblright ” textquoteleft ‘ textquoteright ’ textquotedbl " textquotesingle ' guillemotleft « guillemotright » guillemetleft « guillemetright » guilsinglleft ‹
  guilsinglright › quotedblbase „ quotesinglbase ‚ glqq „ grqq “ og « fg » flqq « frqq » textendash – textemdash — textexclamdown ¡ textquestiondown ¿ textmu µ texttimes × slash /
  LaTeX LaTeX TeX TeX LaTeXe LaTeX2e BibTeX BibTeX XeTeX XeTeX XeLaTeX XeLaTeX LuaTeX LuaTeX LuaLaTeX LuaLaTeX pdfTeX pdfTeX pdfLaTeX pdfLaTeX AmS AMS MF Metafont lq ‘ rq ’ lbrack [ rbrack ]`
    .split(/\s+/)
    .flatMap((name, i, all) => (i % 2 === 0 ? [[name, all[i + 1]!] as const] : [])),
);

/** Commands that put an accent on the next letter. */
export const ACCENTS = new Map([
  ["'", '\u0301'],
  ['`', '\u0300'],
  ['^', '\u0302'],
  ['"', '\u0308'],
  ['~', '\u0303'],
  ['=', '\u0304'],
  ['.', '\u0307'],
  ['u', '\u0306'],
  ['v', '\u030C'],
  ['H', '\u030B'],
  ['c', '\u0327'],
  ['d', '\u0323'],
  ['b', '\u0331'],
  ['r', '\u030A'],
  ['k', '\u0328'],
]);

/** Options of babel and polyglossia, as language tags. */
export const LANGUAGES = new Map(
  `english en american en-US british en-GB UKenglish en-GB USenglish en-US german de ngerman de austrian de-AT naustrian de-AT french fr francais fr frenchb fr spanish es italian it
  portuguese pt brazil pt-BR brazilian pt-BR portuges pt dutch nl polish pl czech cs slovak sk russian ru ukrainian uk swedish sv danish da norsk nb finnish fi hungarian hu magyar hu
  greek el turkish tr romanian ro croatian hr slovene sl bulgarian bg catalan ca basque eu hebrew he arabic ar japanese ja korean ko chinese zh vietnamese vi latin la esperanto eo`
    .split(/\s+/)
    .flatMap((name, i, all) => (i % 2 === 0 ? [[name, all[i + 1]!] as const] : [])),
);
