import { Flow } from './flow.ts';
import type { ManPage } from './macros.ts';
import { MDOC_MACROS, MdocLine } from './mdoc-line.ts';
import { Roff, splitArguments } from './roff.ts';
import { tblRows } from './table.ts';

/** Reads a page of the mdoc macros: `.Sh`, `.Nm`, `.It` and so on. */
export function readMdoc(text: string): ManPage {
  const roff = new Roff(text, MDOC_MACROS);
  const flow = new Flow();
  const page: ManPage = { blocks: flow.list.blocks };
  const line = new MdocLine();
  const lists: string[] = [];
  let column: string[][] | undefined;
  const endColumns = () => {
    if (column) flow.table(column);
    column = undefined;
  };
  const addText = (content: string) => {
    if (column && lists.at(-1) === 'column')
      column.at(-1)?.push(...[column.at(-1)!.pop() ?? '', content].join(' ').trim().split('\t'));
    else flow.text(content, line.takesNoSpace());
  };
  for (const read of roff) {
    if ('text' in read) {
      if (read.text.trim() === '') flow.blank();
      else addText(read.text);
      continue;
    }
    const { macro, raw } = read;
    const args = splitArguments(raw);
    const words = () => line.render(args, (text) => roff.unescape(text));
    switch (macro) {
      case 'Dd':
      case 'Os':
      case 'Sm':
      case 'Bk':
      case 'Ek':
      case 'Bf':
      case 'Ef':
        break;
      case 'Dt':
        [page.name, page.section] = args.map((arg) => roff.unescape(arg));
        break;
      case 'Sh':
      case 'Ss':
        endColumns();
        flow.heading(macro === 'Sh' ? 2 : 3, words());
        break;
      case 'Pp':
      case 'Lp':
      case 'Rs':
      case 'Re':
        flow.endParagraph();
        break;
      case 'Bl': {
        flow.endParagraph();
        const kind = /-(\w+)/.exec(raw)?.[1] ?? '';
        lists.push(kind);
        if (kind === 'column') column = [];
        break;
      }
      case 'El':
        if (lists.pop() === 'column') endColumns();
        flow.endParagraph();
        break;
      case 'It': {
        const kind = lists.at(-1);
        if (kind === 'column' && column) {
          const cells = words().split(/\s*\t\s*/);
          column.push(cells);
          break;
        }
        flow.endParagraph();
        flow.text(words());
        if (!/^(?:bullet|dash|hyphen|enum|item)$/.test(kind ?? '')) flow.breakLine();
        break;
      }
      case 'Bd':
        if (/-(?:literal|unfilled)/.test(raw)) flow.preformat(true);
        else flow.endParagraph();
        break;
      case 'Ed':
        flow.preformat(false);
        flow.endParagraph();
        break;
      case 'Dl':
      case 'D1':
        flow.breakLine();
        flow.text(words());
        flow.breakLine();
        break;
      case 'Nd':
        flow.text(`- ${words()}`);
        break;
      case 'Fo':
        flow.text(`${words()}(`, true);
        break;
      case 'Fc':
        flow.text(')');
        break;
      case 'Ex':
        flow.text(`The ${args[1] ?? line.name} utility exits 0 on success, and >0 if an error occurs.`);
        break;
      case 'br':
        flow.breakLine();
        break;
      case 'sp':
        flow.blank();
        break;
      case 'nf':
      case 'fi':
        flow.preformat(macro === 'nf');
        break;
      case 'TS':
        flow.table(tblRows([...roff.rawUntil(/^[.']TE/)], (cell) => roff.unescape(cell)));
        break;
      default: {
        if (!MDOC_MACROS.has(macro)) break;
        if (macro === 'Nm') line.name ||= roff.unescape(args[0] ?? '');
        addText(line.render([macro, ...args], (text) => roff.unescape(text)));
      }
    }
  }
  flow.endParagraph();
  endColumns();
  return page;
}
