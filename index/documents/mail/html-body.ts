import { type DefaultTreeAdapterTypes, parseFragment, serializeOuter } from 'parse5';
import type { Block } from '../document.ts';
import { htmlBlocks } from '../html/html-page.ts';
import { isHeaderBlock } from './quotes.ts';

type ChildNode = DefaultTreeAdapterTypes.ChildNode;
type ParentNode = DefaultTreeAdapterTypes.ParentNode;

/** Classes of what mail programs put around quoted messages. */
const QUOTED =
  /(?:^|\s)(?:gmail_quote|gmail_extra|yahoo_quoted|moz-cite-prefix|protonmail_quote|tutanota_quote)(?:\s|$)/;
const SIGNATURE = /(?:^|\s)(?:gmail_signature|moz-signature|protonmail_signature_block)(?:\s|$)/;
/** Outlook marks the place from which all is quoted. */
const OLD_MESSAGE =
  /^(?:x_)*(?:divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION|mail-editor-reference-message-container)$/;

/** The blocks of a message in HTML. */
export interface HtmlBody {
  own: Block[];
  quoted: Block[];
}

/**
 * Splits a message in HTML into what its sender wrote and what it quotes. Leaves out signatures.
 * @param path of the file, for errors
 * @throws if elements nest too deep
 */
export function htmlBody(html: string, path: string): HtmlBody {
  // Checks the depth, before a parser without limits gets the text.
  if (htmlBlocks(html, path).length === 0) return { own: [], quoted: [] };
  const root = parseFragment(html);
  const quoted = takeQuotes(root);
  const own = htmlBlocks(root.childNodes.map((node) => serializeOuter(node)).join(''), path);
  const old = own.findIndex(({ text }) => isHeaderBlock(text.split('\n')));
  const from = old === -1 ? own.length : old;
  return {
    own: own.slice(0, from),
    quoted: [...own.slice(from), ...htmlBlocks(quoted.map((node) => serializeOuter(node)).join(''), path)],
  };
}

/** Removes the quoted parts of a tree. */
function takeQuotes(root: ParentNode): ChildNode[] {
  const quoted: ChildNode[] = [];
  const open: ParentNode[] = [root];
  for (let parent = open.pop(); parent; parent = open.pop()) {
    const kept: ChildNode[] = [];
    let isOld = false;
    for (const child of parent.childNodes) {
      isOld ||= OLD_MESSAGE.test(attribute(child, 'id'));
      if (isOld || isQuote(child)) quoted.push(child);
      else if (!SIGNATURE.test(attribute(child, 'class'))) kept.push(child);
    }
    parent.childNodes = kept;
    for (const child of kept) if ('childNodes' in child) open.push(child);
  }
  return quoted;
}

function isQuote(node: ChildNode): boolean {
  if (QUOTED.test(attribute(node, 'class'))) return true;
  return node.nodeName === 'blockquote' && attribute(node, 'type').toLowerCase() === 'cite';
}

function attribute(node: ChildNode, name: string): string {
  const attributes = 'attrs' in node ? node.attrs : [];
  return attributes.find((one) => one.name === name)?.value ?? '';
}
