import { parse, parseFragment } from 'parse5';
import type { Block, Document } from '../document.ts';
import { addressOf } from './address.ts';
import { blocksOf } from './blocks.ts';
import { attribute, childElements, limitedAdapter } from './dom.ts';
import { flatText } from './inline-text.ts';
import { ancestors, ownTitle } from './titles.ts';

/**
 * Reads an HTML page. Its title is its own, after the titles of the pages above it. The URL is the canonical link, else where the page
 * was saved from.
 * @param path of the file, for errors
 * @throws if elements nest too deep
 */
export function readHtml(text: string, source: string, path = source): Document {
  const document = parse(text, { treeAdapter: limitedAdapter(path) });
  const html = childElements(document).find((element) => element.tagName === 'html');
  const head = html && childElements(html).find((element) => element.tagName === 'head');
  const meta = head ? childElements(head) : [];
  const titleElement = meta.find((element) => element.tagName === 'title');
  const blocks = blocksOf(document);
  const own = ownTitle(titleElement ? flatText(titleElement).text : '', blocks);
  const title = [...ancestors(document, own, source), own].filter(Boolean).join(' › ');
  return {
    source,
    title: title || undefined,
    url: addressOf(text, meta),
    lang: (html && attribute(html, 'lang')) || undefined,
    blocks,
  };
}

/** Reads the blocks of an HTML fragment. `path` and errors are as for `readHtml`. */
export function htmlBlocks(fragment: string, path: string): Block[] {
  return blocksOf(parseFragment(fragment, { treeAdapter: limitedAdapter(path) }));
}
