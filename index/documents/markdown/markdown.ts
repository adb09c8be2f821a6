import type { Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import type { Block, Document } from '../document.ts';
import { nestedTooDeep } from '../file.ts';
import { titleFromHeadings } from '../markup/readme.ts';
import { unwrapAdmonitions } from './admonitions.ts';
import { splitFrontMatter } from './front-matter.ts';
import { markdownParts } from './parts.ts';
import { Slugger, treeBlocks } from './tree.ts';

const OPTIONS = { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] };

/**
 * Reads GitHub-flavoured Markdown. The title is from the front matter, else the first heading of level 1; a README without one has
 * the title of its folder.
 * @param path of the file, for errors
 * @param read the reader of the text after the front matter
 * @throws if the text is nested too deep
 */
export function readMarkdown(text: string, source: string, path = source, read = readBody): Document {
  const lines = text.replace(/\r\n?/g, '\n');
  const { body, ...fields } = splitFrontMatter(lines);
  const blocks = read(body, path);
  return { source, ...fields, title: fields.title ?? titleFromHeadings(blocks, source, path), blocks };
}

/** Reads the blocks of Markdown without front matter. `path` and errors are as for `readMarkdown`. */
export function readBody(text: string, path: string): Block[] {
  const slugger = new Slugger();
  return markdownParts(unwrapAdmonitions(text)).flatMap((part) =>
    treeBlocks(parse(part, path), path, slugger),
  );
}

/** The time of some texts grows with the square of their length. The limits of the process that reads files end them. */
function parse(text: string, path: string): Root {
  try {
    return fromMarkdown(text, OPTIONS);
  } catch (error) {
    // The call stack of the parser is full.
    if (error instanceof RangeError) throw nestedTooDeep(path);
    throw error;
  }
}
