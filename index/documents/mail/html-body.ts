import { type DefaultTreeAdapterTypes, parseFragment, serializeOuter } from 'parse5';
import type { Block } from '../document.ts';
import { htmlBlocks } from '../html/html-page.ts';
import { attribute, type Element, limitedAdapter, words } from '../html/html-tree.ts';
import { isHeaderBlock } from './quotes.ts';

type ChildNode = DefaultTreeAdapterTypes.ChildNode;
type ParentNode = DefaultTreeAdapterTypes.ParentNode;

/** Classes of what mail programs put around quoted messages. */
const QUOTED = new Set(
  'gmail_quote gmail_extra yahoo_quoted moz-cite-prefix protonmail_quote tutanota_quote'.split(' '),
);
const SIGNATURE = new Set('gmail_signature moz-signature protonmail_signature_block'.split(' '));
/** Outlook marks the place from which all is quoted. */
const OLD_MESSAGE =
  /^(?:x_)*(?:divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION|mail-editor-reference-message-container)$/;

/**
 * Splits a message in HTML into what its sender wrote and what it quotes. Leaves out signatures.
 * @param path of the file, for errors
 * @throws if elements nest too deep
 */
export function htmlBody(html: string, path: string): { own: Block[]; quoted: Block[] } {
  const blocksOf = (nodes: ChildNode[]) =>
    htmlBlocks(nodes.map((node) => serializeOuter(node)).join(''), path);
  const root = parseFragment(html, { treeAdapter: limitedAdapter(path) });
  const quoted = takeQuotes(root);
  const own = blocksOf(root.childNodes);
  const old = own.findIndex(({ text }) => isHeaderBlock(text.split('\n')));
  const from = old === -1 ? own.length : old;
  return { own: own.slice(0, from), quoted: [...own.slice(from), ...blocksOf(quoted)] };
}

/** Removes the quoted parts of a tree. */
function takeQuotes(root: ParentNode): ChildNode[] {
  const quoted: ChildNode[] = [];
  const open: ParentNode[] = [root];
  for (let parent = open.pop(); parent; parent = open.pop()) {
    const kept: ChildNode[] = [];
    let isOld = false;
    for (const child of parent.childNodes) {
      const element = 'attrs' in child ? child : undefined;
      isOld ||= element !== undefined && OLD_MESSAGE.test(attribute(element, 'id') ?? '');
      if (isOld || (element && isQuote(element))) quoted.push(child);
      else if (!element || !hasClass(element, SIGNATURE)) kept.push(child);
    }
    parent.childNodes = kept;
    for (const child of kept) if ('childNodes' in child) open.push(child);
  }
  return quoted;
}

function isQuote(element: Element): boolean {
  const isCited = element.tagName === 'blockquote' && attribute(element, 'type')?.toLowerCase() === 'cite';
  return isCited || hasClass(element, QUOTED);
}

function hasClass(element: Element, classes: ReadonlySet<string>): boolean {
  return words(element, 'class').some((name) => classes.has(name));
}
