import type { Nodes, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { toString as textOf } from 'mdast-util-to-string';
import { gfm } from 'micromark-extension-gfm';
import type { Block, Document } from '../document.ts';
import { htmlBlocks } from '../html/page.ts';
import { MAX_DEPTH, nestedTooDeep } from '../nesting.ts';
import { unwrap } from '../plain/paragraphs.ts';
import { splitFrontMatter } from './front-matter.ts';
import { checkMarkdown } from './limits.ts';
import { markdownParts } from './parts.ts';

/** A line break that the author asked for, in inline text. Others are a single `\n`. */
const HARD_BREAK = '\n\n';

/**
 * Reads GitHub-flavoured Markdown. The title is from the front matter, else the first heading of level 1.
 * @param path of the file, for errors
 * @throws if the text is nested too deep, or a paragraph contains too many marks for the parser
 */
export function readMarkdown(text: string, source: string, path = source): Document {
  const lines = text.replace(/\r\n?/g, '\n');
  const { body, title, url, lang, metadata } = splitFrontMatter(lines);
  checkMarkdown(body, path, lines.slice(0, lines.length - body.length).split('\n').length);
  const blocks = markdownParts(body).flatMap((part) => {
    const tree = fromMarkdown(part, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
    if (isTooDeepTree(tree)) throw nestedTooDeep(path);
    return tree.children.flatMap((node) => blocksOf(node, path)).filter((block) => block.text !== '');
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

/** Whether emphasis and links nest deeper than the limit. Without recursion, since they may be too deep for that. */
function isTooDeepTree(tree: Nodes): boolean {
  let level: Nodes[] = [tree];
  // Each list is a node for itself and one for its item.
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > 3 * MAX_DEPTH) return true;
    level = level.flatMap((node): Nodes[] => ('children' in node ? node.children : []));
  }
  return false;
}

function blocksOf(node: RootContent, path: string): Block[] {
  if (node.type === 'heading')
    return [{ kind: 'heading', level: node.depth, text: inlineText(node).replaceAll('\n', ' ') }];
  if (node.type === 'html') return htmlBlocks(node.value, path);
  return paragraphsOf(node, path).map((text) => ({ kind: 'paragraph', text }));
}

/** A tight list becomes one paragraph with a line per item, a loose list a paragraph per item, a table a line per row. */
function paragraphsOf(node: Nodes, path: string): string[] {
  switch (node.type) {
    case 'paragraph':
    case 'heading':
      return [inlineText(node)];
    case 'blockquote':
    case 'footnoteDefinition':
      return node.children.flatMap((child) => paragraphsOf(child, path));
    case 'list': {
      const items = node.children.map((item) =>
        item.children.flatMap((child) => paragraphsOf(child, path)).join('\n'),
      );
      return node.spread || node.children.some((item) => item.spread) ? items : [items.join('\n')];
    }
    case 'table':
      return [node.children.map((row) => row.children.map(inlineText).join(' | ')).join('\n')];
    case 'code':
      return [node.value];
    case 'html':
      return htmlBlocks(node.value, path).map((block) => block.text);
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
