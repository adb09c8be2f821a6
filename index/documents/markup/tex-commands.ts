import { pairsOf } from './pairs.ts';

/** How deep each heading is. */
export const HEADINGS = new Map(
  ['part', 'chapter', 'section', 'subsection', 'subsubsection', 'paragraph', 'subparagraph'].map(
    (name, depth) => [name, depth],
  ),
);
HEADINGS.set('frametitle', 5);

/** Commands that are characters. */
export const SYMBOLS = pairsOf(`
  ss ß SS ẞ ae æ AE Æ oe œ OE Œ o ø O Ø aa å AA Å l ł L Ł i ı j ȷ dh ð DH Ð th þ TH Þ dj đ DJ Đ ng ŋ NG Ŋ ldots … dots …
  textellipsis … copyright © textcopyright © textregistered ® texttrademark ™ pounds £ textsterling £ euro € texteuro € EUR €
  S § P ¶ textsection § textparagraph ¶ dag † ddag ‡ textdagger † textbullet • textdegree ° degree ° textbackslash \\
  textasciitilde ~ textasciicircum ^ textunderscore _ textbar | textless < textgreater > textbraceleft { textbraceright }
  textdollar $ textquotedblleft “ textquotedblright ” textquoteleft ‘ textquoteright ’ textquotedbl " textquotesingle '
  guillemotleft « guillemotright » guilsinglleft ‹ guilsinglright › quotedblbase „ quotesinglbase ‚ glqq „ grqq “ og « fg »
  flqq « frqq » textendash – textemdash — textexclamdown ¡ textquestiondown ¿ textmu µ texttimes × slash / lq ‘ rq ’
  LaTeX LaTeX TeX TeX LaTeXe LaTeX2e BibTeX BibTeX XeTeX XeTeX XeLaTeX XeLaTeX LuaTeX LuaTeX LuaLaTeX LuaLaTeX pdfTeX pdfTeX
  pdfLaTeX pdfLaTeX AmS AMS`);

/** Commands that put an accent on the next letter. */
export const ACCENTS = pairsOf(
  '\' \u0301 ` \u0300 ^ \u0302 " \u0308 ~ \u0303 = \u0304 . \u0307 u \u0306 v \u030C H \u030B c \u0327 d \u0323 b \u0331 r \u030A k \u0328',
);

/** What follows a quote mark in German. */
export const GERMAN = pairsOf("a ä o ö u ü A Ä O Ö U Ü s ß = - ` „ ' “ ‘ „");

/** Options of babel and polyglossia, as language tags. */
export const LANGUAGES = pairsOf(`
  english en american en-US british en-GB UKenglish en-GB USenglish en-US german de ngerman de austrian de-AT naustrian de-AT
  french fr francais fr spanish es italian it portuguese pt brazil pt-BR brazilian pt-BR dutch nl polish pl czech cs slovak sk
  russian ru ukrainian uk swedish sv danish da norsk nb finnish fi hungarian hu magyar hu greek el turkish tr romanian ro
  croatian hr slovene sl bulgarian bg catalan ca basque eu hebrew he arabic ar japanese ja korean ko chinese zh vietnamese vi`);

/** Names by the number of their arguments in braces that are no text. */
function counted(names: Record<number, string>): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(names).flatMap(([count, list]) =>
      list.split(/\s+/).map((name) => [name, Number(count)] as const),
    ),
  );
}

/** How many arguments of a command are no text. Further arguments are. */
export const SKIPPED = counted({
  1: `label ref eqref pageref autoref cref Cref nameref vref cite citep citet citealp citealt citeauthor citeyear parencite
    textcite footcite autocite nocite index glossary gls vspace hspace includegraphics input include includeonly subfile
    bibliography bibliographystyle addbibresource RequirePackage documentclass pagestyle thispagestyle pagenumbering color
    textcolor colorbox hypersetup lstset theoremstyle newlength newcounter stepcounter refstepcounter raisebox parbox rotatebox
    scalebox cline cmidrule phantom hphantom vphantom href hypertarget hyperlink markright setmainfont setsansfont setmonofont
    graphicspath tikzset captionsetup usetikzlibrary usetheme usecolortheme hyphenation selectlanguage foreignlanguage
    setotherlanguage lstinputlisting verbatiminput inputminted bibitem pgfplotsset sisetup cellcolor rowcolor value
    AtBeginDocument AtEndDocument pdfbookmark date`,
  2: `setlength addtolength setcounter addtocounter fontsize rule resizebox multirow multicolumn markboth fcolorbox
    DeclareMathOperator definecolor newtheorem numberwithin setbeamertemplate setbeamercolor setbeamerfont titlespacing`,
  3: 'addcontentsline newenvironment renewenvironment titleformat',
});

/** The same for environments, after their names. */
export const SKIPPED_OF_ENVIRONMENT = counted({
  1: `tabular longtable array minipage multicols thebibliography adjustbox column spacing otherlanguage subfigure subtable tblr`,
  2: 'tabularx tabular* tabulary wrapfigure list',
});

/** Environments whose text is code. */
export const VERBATIM = /^(?:[BL]?[vV]erbatim|lstlisting|minted|alltt|code|program|listing|example)\*?$/;
/** Environments without text. */
export const DROPPED = /^(?:comment|filecontents|tikzpicture|pgfpicture|picture|axis|tikzcd|asy|forest)\*?$/;
export const MATH =
  /^(?:equation|align|aligned|alignat|flalign|gather|multline|eqnarray|displaymath|math|split|cases|[bpvBV]?matrix)\*?$/;
export const TABLES = /^(?:tabular[xy]?|longtable|tblr|array)\*?$/;

/** Removes the layout of mathematics: `\left(`, `\,`, `&`. */
export function mathText(source: string): string {
  return source
    .replace(/\\(?:label|tag)\s*\{[^{}]*\}/g, '')
    .replace(
      /\\(?:left|right|[bB]igg?[lr]?|displaystyle|textstyle|limits|nonumber|notag|quad|qquad|math(?:rm|bf|it|sf|cal|bb)|operatorname|text|textrm|mbox)(?![a-zA-Z])\*?/g,
      '',
    )
    .replace(/(?<!\\)%.*$/gm, '')
    .replace(/\\[,;:!> ]|\\\\(?:\[[^\]]*\])?|[&~]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
