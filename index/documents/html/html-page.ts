import { parse, parseFragment } from 'parse5';
import type { Block, Document } from '../document.ts';
import type { Reader } from '../input.ts';
import { blocksOf } from './blocks.ts';
import { addressOf, declaredCharset, isRedirect } from './head.ts';
import { attribute, childElements, limitedAdapter, type Node } from './html-tree.ts';
import { flatText } from './inline-text.ts';
import { mainContent } from './main-content.ts';
import { ancestors, ownTitle, spacePrefix } from './titles.ts';

/** Pages that only lead to another one have few blocks. */
const MAX_REDIRECT_BLOCKS = 3;

/** A page as it was read. */
interface Page {
  document: Document;
  /** Why it is no page to search, if so. */
  reason?: 'no text' | 'only navigation' | 'redirect';
}

/**
 * Reads an HTML page: its main content, without navigation. Its title is its own, after the titles of the pages above it. The URL is
 * the canonical link, else where the page was saved from.
 * @param path of the file, for errors
 * @throws if elements nest too deep
 */
export function readPage(text: string, source: string, path = source): Page {
  const document = parse(text, { treeAdapter: limitedAdapter(path) });
  const html = childElements(document).find((element) => element.tagName === 'html');
  const head = html && childElements(html).find((element) => element.tagName === 'head');
  const meta = head ? childElements(head) : [];
  const titleElement = meta.find((element) => element.tagName === 'title');
  const url = addressOf(text, meta);
  const content = mainContent(document, url && URL.canParse(url) ? new URL(url).host : undefined);
  const prefix = spacePrefix(document);
  const withoutSpace = (text: string) =>
    prefix && text.startsWith(prefix) ? text.slice(prefix.length) : text;
  const blocks = content.blocks.map((block) =>
    block.level === 1 ? { ...block, text: withoutSpace(block.text) } : block,
  );
  const own = ownTitle(titleElement ? withoutSpace(flatText(titleElement).text) : '', blocks);
  const above = own ? ancestors(document, own, source) : [];
  const title = [...above, own].filter(Boolean).join(' › ');
  const lang = (html && attribute(html, 'lang')) || undefined;
  return {
    document: {
      source,
      title: title || undefined,
      ...(above.length > 0 && { above: above.length }),
      url,
      lang,
      blocks,
    },
    reason: isRedirect(meta) && blocks.length <= MAX_REDIRECT_BLOCKS ? 'redirect' : content.reason,
  };
}

/** Frames of a page that a browser saved, beside the page. */
const FRAME = /_files\/saved_resource(?:\(\d+\))?\.html?$/i;

/** Reads a page, unless it is a part of another. */
export const readHtml: Reader = async function* (input) {
  const skip = (reason: string) => input.report({ kind: 'skipped', place: input.path, reason });
  if (FRAME.test(input.source)) return skip('part of a saved page');
  const { document, reason } = readPage(await input.text(declaredCharset), input.source, input.path);
  if (reason === 'no text') throw input.failure(reason, 'Save the page with its text.');
  if (reason) skip(reason);
  else yield document;
};

/** Parses an HTML fragment. `path` and errors are as for `readPage`. */
export function parseHtml(fragment: string, path: string): Node {
  return parseFragment(fragment, { treeAdapter: limitedAdapter(path) });
}

/** Reads the blocks of an HTML fragment. */
export function htmlBlocks(fragment: string, path: string): Block[] {
  return blocksOf(parseHtml(fragment, path));
}
