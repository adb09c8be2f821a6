import type { Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { mdxFromMarkdown } from 'mdast-util-mdx';
import { gfm } from 'micromark-extension-gfm';
import { mdxjs } from 'micromark-extension-mdxjs';
import type { Block, Document } from '../document.ts';
import { readBody, readMarkdown } from './markdown.ts';
import { Slugger, treeBlocks } from './tree.ts';

const OPTIONS = {
  extensions: [gfm(), mdxjs()],
  mdastExtensions: [gfmFromMarkdown(), mdxFromMarkdown()],
};

/**
 * The parser tries to end an expression at each closing brace, and parses it again each time: the limit of braces, times the text's
 * length in UTF-16 code units.
 */
const MAX_TRIED = 10_000_000;
/** UTF-16 code units. A text with components cannot be parsed in parts, and the time grows with the square of the length. */
const MAX_LENGTH = 300_000;

const FENCE = /^\s*(`{3,}|~{3,})/;
/** The first line of an import or export. Prose may begin with these words too. */
const MODULE =
  /^(?:import\s*(?:["'{*]|[\w$]+\s*(?:,|\bfrom\b))|export\s+(?:default|const|let|var|function|async|class|interface|type|\{|\*))/;

/**
 * Reads MDX: Markdown with components. Drops imports, exports and expressions; keeps the text in components and their titles. A
 * text that is not valid MDX is read as Markdown. Title, path and errors are as for `readMarkdown`.
 */
export function readMdx(text: string, source: string, path = source): Document {
  return readMarkdown(text, source, path, readMdxBody);
}

function readMdxBody(text: string, path: string): Block[] {
  const body = withoutModules(text);
  const tree = parseMdx(body);
  return tree ? treeBlocks(tree, path, new Slugger()) : readBody(body, path);
}

/** The tree of a text, or undefined if it is not valid MDX or would take the parser too long. */
function parseMdx(text: string): Root | undefined {
  const braces = text.replace(/^ *(`{3,}|~{3,})[^\n]*\n[\s\S]*?\n *\1/gm, '').split('}').length;
  if (text.length > MAX_LENGTH || braces * text.length > MAX_TRIED) return undefined;
  try {
    return fromMarkdown(text, OPTIONS);
  } catch {
    return undefined;
  }
}

/**
 * Blanks imports and exports: from a line that begins one to the next blank line where all brackets are closed. The parser would parse
 * them again after each blank line.
 */
function withoutModules(text: string): string {
  let fence: string | undefined;
  let open: number | undefined;
  return text
    .split('\n')
    .map((line) => {
      const mark = open === undefined ? FENCE.exec(line)?.[1] : undefined;
      if (fence !== undefined) {
        if (mark?.startsWith(fence) && line.trim() === mark) fence = undefined;
        return line;
      }
      fence = mark;
      if (open === undefined && MODULE.test(line)) open = 0;
      if (open === undefined) return line;
      for (const bracket of line.match(/[[\](){}]/g) ?? []) open += '[({'.includes(bracket) ? 1 : -1;
      if (line.trim() === '' && open <= 0) open = undefined;
      return '';
    })
    .join('\n');
}
