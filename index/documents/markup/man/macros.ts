import type { Block } from '../../document.ts';
import { Flow } from './flow.ts';
import { Roff } from './roff.ts';
import { tblRows } from './table.ts';

/** Macros of man(7). Fonts that alternate between arguments join them. */
const ALTERNATING = new Set(['BI', 'BR', 'IB', 'IR', 'RB', 'RI', 'SB']);
const FONTS = new Set(['B', 'I', 'R', 'SM', 'CW', 'C', 'CB', 'CR']);
const PARAGRAPHS = new Set(['PP', 'P', 'LP', 'HP', 'RS', 'RE', 'sp', 'Sp', 'in']);
export const MAN_MACROS: ReadonlySet<string> = new Set([
  ...ALTERNATING,
  ...FONTS,
  ...[
    'PP',
    'P',
    'LP',
    'HP',
    'RS',
    'RE',
    'TP',
    'TQ',
    'IP',
    'SH',
    'SS',
    'TH',
    'EX',
    'EE',
    'UR',
    'UE',
    'MT',
    'ME',
    'SY',
    'OP',
    'YS',
    'MR',
  ],
]);
/** A tag that is only a bullet. */
const BULLET = /^(?:[•·◦○□*+o–—-]|-{1,2})$/;

/** A manual page, as its reader returns it. */
export interface ManPage {
  name?: string;
  section?: string;
  blocks: Block[];
}

/** Reads a page of the man macros: `.SH`, `.TP` and so on. An option or term and its description are one paragraph. */
export function readManMacros(text: string): ManPage {
  const roff = new Roff(text, MAN_MACROS);
  const flow = new Flow();
  const page: ManPage = { blocks: flow.list.blocks };
  /** What the next line of text is, after a macro without arguments. */
  let expects: 'tag' | { heading: number } | { join: string } | undefined;
  let link: string | undefined;
  const add = (content: string, joined = false) => {
    if (typeof expects === 'object' && 'heading' in expects) {
      flow.heading(expects.heading, content);
      expects = undefined;
      return;
    }
    flow.text(content, joined);
    if (expects !== 'tag' || joined || content.trim() === '') return;
    flow.breakLine();
    expects = undefined;
  };
  for (const line of roff) {
    if ('text' in line) {
      if (line.text.trim() === '') flow.blank();
      else add(line.text, line.joined);
      continue;
    }
    const { macro, args, raw } = line;
    const words = args.join(' ');
    if (macro === 'TH' || macro === 'Th') {
      page.name ??= args[0];
      page.section ??= args[1];
    } else if (macro === 'SH' || macro === 'SS') {
      if (words.trim() === '') expects = { heading: macro === 'SH' ? 2 : 3 };
      else flow.heading(macro === 'SH' ? 2 : 3, words);
    } else if (PARAGRAPHS.has(macro)) {
      expects = undefined;
      if (macro === 'sp') flow.blank();
      else flow.endParagraph();
    } else if (macro === 'TP' || macro === 'TQ') {
      if (macro === 'TP') flow.endParagraph();
      else flow.breakLine();
      expects = 'tag';
    } else if (macro === 'IP') {
      flow.endParagraph();
      expects = undefined;
      if (args[0] && !BULLET.test(args[0].trim())) {
        flow.text(args[0]);
        flow.breakLine();
      }
    } else if (ALTERNATING.has(macro)) add(args.join(''), /\\c\s*$/.test(raw));
    else if (FONTS.has(macro) || macro === 'ft') {
      if (macro !== 'ft' && words !== '') add(words, /\\c\s*$/.test(raw));
    } else if (macro === 'MR') add(`${args[0] ?? ''}(${args[1] ?? ''})${args[2] ?? ''}`);
    else if (macro === 'br' || macro === 'ti') flow.breakLine();
    else if (macro === 'nf' || macro === 'EX' || macro === 'Vb') flow.preformat(true);
    else if (macro === 'fi' || macro === 'EE' || macro === 'Ve') flow.preformat(false);
    else if (macro === 'SY') {
      flow.breakLine();
      flow.text(words);
    } else if (macro === 'OP') flow.text(`[${words}]`);
    else if (macro === 'YS') flow.breakLine();
    else if (macro === 'UR' || macro === 'MT') link = words;
    else if (macro === 'UE' || macro === 'ME') {
      if (link) flow.text(`<${link}>${words}`);
      link = undefined;
    } else if (macro === 'TS')
      flow.table(tblRows([...roff.rawUntil(/^[.']TE/)], (cell) => roff.unescape(cell)));
  }
  flow.endParagraph();
  return page;
}
