import type { Block } from '../document.ts';

/** Labels of lists of links, in the languages of most manuals. */
const CONTENTS =
  /^(?:(?:table of )?contents|list of (?:tables|figures|examples|illustrations|listings|equations)|inhalt(?:sverzeichnis)?|(?:tabellen|abbildungs)verzeichnis|table des matières|sommaire|liste des (?:tableaux|illustrations|exemples)|(?:tabla de )?contenidos?|índice(?: general)?|sommario|sumário|inhoud(?:sopgave)?|spis treści|содержание|оглавление|目次|目录|目錄|차례)\s*:?$/iu;
const INDEX =
  /^(?:(?:(?:general|alphabetical|subject|concept|keyword|topic|(?:[a-z]+ )?(?:function|variable|option|command)s?) )?index|(?:stichwort|sach)(?:verzeichnis|register)|índice alfabético|indice analitico|skorowidz|предметный указатель|索引|색인)$/iu;
const SEE_ALSO =
  /^(?:see also|related (?:topics|pages|information)|siehe auch|voir aussi|véase también|vedi anche|veja também|zie ook|zobacz też|см\. также|関連項目|参见)\s*:?$/iu;

/** Words for pages near this one: "Next: Piers, Up: Harbour". */
const WORD =
  '(?:next|prev(?:ious)?|up|top|home|back|contents|index|(?:no )?frames)(?: (?:page|section|chapter|class|package))?';
const NEXT = new RegExp(`^[\\s[<«←]*${WORD}\\s*:`, 'i');
const WORDS = new RegExp(`^[\\W_]*${WORD}(?:[\\W_]+${WORD})+[\\W_]*$`, 'i');
/** The bar of Javadoc. */
const PARTS =
  /^(?:summary|detail)\s*:(?:[\s|]+(?:nested|inner|field|constr|method|element|required|optional))+$/i;

/** What programs write about a page, with a date or a version. */
const ABOUT =
  /^(?:this (?:page|document|file|manual|documentation)(?: was| has been)? (?:last )?(?:generated|modified|updated|changed|built)|available languages\s*:|(?=.*\d)(?:(?:page )?last (?:modified|updated?|changed?)\b|generated (?:by|on|from|with|using) ))/iu;
const COPYRIGHT = /^(?:copyright\b|©|\(c\) ).*\b(?:19|20)\d\d\b/iu;

/** A heading above nothing but a date. */
const DATED = /^(?:page )?last (?:modified|updated?|changed?)\s*:?$/i;
const MAX_DATE = 40;

/** Characters of a notice. Longer ones, such as licences, are text. */
const MAX_NOTICE = 200;

/** Blocks at either end of a page that may be notices. */
const EDGE = 5;

export const isContentsLabel = (text: string) => CONTENTS.test(text);
export const isIndexLabel = (text: string) => INDEX.test(text);
export const isSeeAlsoLabel = (text: string) => SEE_ALSO.test(text);

/**
 * Removes lines about the page from its ends: "Next Previous Contents", "Last modified on 1 May". A heading before one makes it text.
 * Also removes lists of the page's own headings.
 */
export function withoutNotices(blocks: Block[]): Block[] {
  const headings = new Set(blocks.flatMap(({ kind, text }) => (kind === 'heading' ? [text] : [])));
  const isAlone = blocks.filter(({ kind }) => kind === 'paragraph').length === 1;
  return blocks.filter((block, i) => {
    const isAtEdge = i < EDGE || i >= blocks.length - EDGE;
    return !(isAtEdge && (isNotice(block, blocks[i - 1], isAlone) || isListOf(headings, block)));
  });
}

/** @param isAlone whether it is the only text of a page */
function isNotice({ kind, text, links = 0 }: Block, before: Block | undefined, isAlone: boolean): boolean {
  if (before?.kind === 'heading' && DATED.test(before.text)) return text.length <= MAX_DATE;
  if (kind === 'heading') return DATED.test(text);
  if (text.length > MAX_NOTICE) return false;
  if (WORDS.test(text) || PARTS.test(text) || (links > 0 && NEXT.test(text))) return true;
  if (COPYRIGHT.test(text)) return isAlone || before?.kind !== 'heading';
  // Every page has a title above its date.
  return ABOUT.test(text) && (before?.kind !== 'heading' || before.level === 1);
}

function isListOf(headings: ReadonlySet<string>, { kind, text, links = 0 }: Block): boolean {
  const lines = text.split('\n');
  return kind === 'paragraph' && links > 0 && lines.length > 1 && lines.every((line) => headings.has(line));
}
