import type { Nodes, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { toString as textOf } from 'mdast-util-to-string';
import { gfm } from 'micromark-extension-gfm';
import type { Block, Document } from './document.ts';
import { splitFrontMatter } from './front-matter.ts';
import { htmlBlocks } from './html.ts';
import { markdownParts } from './markdown-parts.ts';
import { unwrap } from './paragraphs.ts';

/** Within inline text a line break that the author asked for; one that an editor made is a single `\n`. */
const HARD_BREAK = '\n\n';

/** Reads GitHub-flavoured Markdown. Its title is the front matter's, else the first heading of level 1. */
export function readMarkdown(text: string, source: string): Document {
  const { body, title, url, lang, metadata } = splitFrontMatter(text.replace(/\r\n?/g, '\n'));
  const blocks = markdownParts(body).flatMap((part) => {
    const tree = fromMarkdown(part, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
    return tree.children.flatMap(blocksOf).filter((block) => block.text !== '');
  });
  return {
    source,
    title: title ?? blocks.find(({ level }) => level === 1)?.text,
    url,
    lang,
    metadata,
    blocks,
  };
}

function blocksOf(node: RootContent): Block[] {
  if (node.type === 'heading')
    return [{ kind: 'heading', level: node.depth, text: inlineText(node).replaceAll('\n', ' ') }];
  if (node.type === 'html') return htmlBlocks(node.value);
  return paragraphsOf(node).map((text) => ({ kind: 'paragraph', text }));
}

/** A tight list is one paragraph, a line an item, a loose one a paragraph an item. A table is one, a line a row. */
function paragraphsOf(node: Nodes): string[] {
  switch (node.type) {
    case 'paragraph':
    case 'heading':
      return [inlineText(node)];
    case 'blockquote':
    case 'footnoteDefinition':
      return node.children.flatMap(paragraphsOf);
    case 'list': {
      const items = node.children.map((item) => item.children.flatMap(paragraphsOf).join('\n'));
      return node.spread || node.children.some((item) => item.spread) ? items : [items.join('\n')];
    }
    case 'table':
      return [node.children.map((row) => row.children.map(inlineText).join(' | ')).join('\n')];
    case 'code':
      return [node.value];
    case 'html':
      return htmlBlocks(node.value).map((block) => block.text);
    default:
      return [];
  }
}

function inlineText(node: Nodes): string {
  const lines = rawText(node).split(HARD_BREAK);
  return lines
    .map((line) => unwrap(line.split('\n')))
    .join('\n')
    .trim();
}

function rawText(node: Nodes): string {
  if (node.type === 'break') return HARD_BREAK;
  if (node.type === 'html') return /^<br\b/i.test(node.value) ? HARD_BREAK : '';
  return 'children' in node ? node.children.map(rawText).join('') : textOf(node);
}
