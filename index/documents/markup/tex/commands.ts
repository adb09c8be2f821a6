/** How deep each heading is. */
export const HEADINGS = new Map([
  ['part', 0],
  ['chapter', 1],
  ['section', 2],
  ['subsection', 3],
  ['subsubsection', 4],
  ['paragraph', 5],
  ['subparagraph', 6],
  ['frametitle', 5],
]);

/** How many arguments in braces are no text, by command. Further arguments are. */
export const SKIPPED = new Map<string, number>(
  Object.entries({
    1: `label ref eqref pageref autoref cref Cref nameref vref cite citep citet citealp citealt citeauthor citeyear parencite textcite footcite autocite nocite index glossary gls
      vspace hspace vskip hskip includegraphics input include includeonly subfile bibliography bibliographystyle addbibresource usepackage RequirePackage documentclass LoadClass
      pagestyle thispagestyle pagenumbering color textcolor colorbox fcolorbox hypersetup lstset theoremstyle newlength newcounter stepcounter refstepcounter raisebox parbox rotatebox
      scalebox cline cmidrule phantom hphantom vphantom href hypertarget hyperlink markright setmainfont setsansfont setmonofont graphicspath tikzset captionsetup geometry special
      pdfinfo newsavebox usetikzlibrary usetheme usecolortheme usefonttheme hyphenation bookmarksetup selectlanguage setdefaultlanguage setmainlanguage setotherlanguage foreignlanguage
      lstinputlisting verbatiminput VerbatimInput inputminted bibitem vadjust pgfplotsset sisetup ProvidesPackage ProvidesClass ProvidesFile NeedsTeXFormat makeatletter@ enlargethispage cellcolor
      rowcolor columncolor arraystretch value the linespread AtBeginDocument AtEndDocument pdfbookmark PassOptionsToPackage listfiles@ DeclareUnicodeCharacter@ setbeamertemplate@ IfFileExists@`,
    2: `setlength addtolength setcounter addtocounter fontsize rule resizebox multirow multicolumn markboth DeclareMathOperator definecolor newtheorem numberwithin setbeamertemplate setbeamercolor
      setbeamerfont DeclareUnicodeCharacter newtcolorbox settowidth settoheight settodepth sbox savebox titlespacing pdfstringdef@`,
    3: 'addcontentsline newenvironment renewenvironment titleformat ifthenelse@ newglossaryentry@ newacronym@',
  }).flatMap(([count, names]) =>
    names.split(/\s+/).map((name) => [name.replace('@', ''), Number(count)] as const),
  ),
);

/** Environments whose text is code. */
export const VERBATIM =
  /^(?:verbatim|Verbatim|BVerbatim|LVerbatim|lstlisting|minted|alltt|code|program|listing|SaveVerbatim|quoteverbatim|example|boxedverbatim|macrocode)\*?$/;
/** Environments without text. */
export const DROPPED =
  /^(?:comment|filecontents|tikzpicture|pgfpicture|picture|pspicture|axis|psmatrix|tikzcd|asy|forest)\*?$/;
export const MATH =
  /^(?:equation|align|aligned|alignat|flalign|gather|multline|eqnarray|displaymath|math|dmath|split|cases|[bpvBV]?matrix)\*?$/;
export const TABLES =
  /^(?:tabular|tabularx|tabulary|longtable|supertabular|xtabular|tabu|longtabu|tblr|longtblr|array)\*?$/;

/** How many arguments in braces follow `\begin{name}` that are no text. */
export const SKIPPED_OF_ENVIRONMENT = new Map<string, number>([
  ['tabularx', 2],
  ['tabular*', 2],
  ['tabulary', 2],
  ['tabular', 1],
  ['longtable', 1],
  ['supertabular', 1],
  ['xtabular', 1],
  ['tabu', 1],
  ['longtabu', 1],
  ['tblr', 1],
  ['longtblr', 1],
  ['array', 1],
  ['minipage', 1],
  ['multicols', 1],
  ['thebibliography', 1],
  ['wrapfigure', 2],
  ['adjustbox', 1],
  ['list', 2],
  ['column', 1],
  ['spacing', 1],
  ['otherlanguage', 1],
  ['otherlanguage*', 1],
  ['subfigure', 1],
  ['subtable', 1],
]);

/** Removes the layout of mathematics: `\left(`, `\,`, `&`. */
export function mathText(source: string): string {
  return source
    .replace(/\\(?:label|tag)\s*\{[^{}]*\}/g, '')
    .replace(
      /\\(?:left|right|bigg?|Bigg?|big[lr]|Big[lr]|displaystyle|textstyle|scriptstyle|limits|nolimits|nonumber|notag|quad|qquad|hfill|mathrm|mathbf|mathit|mathsf|mathcal|mathbb|operatorname|text|textrm|mbox|hbox)(?![a-zA-Z])\*?/g,
      '',
    )
    .replace(/(?<!\\)%.*$/gm, '')
    .replace(/\\[,;:!> ]|\\\\(?:\[[^\]]*\])?|[&~]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
