import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import type { Block, Document } from '../document.ts';
import { titleFromHeadings } from '../markup/readme.ts';
import { Slugger } from '../markup/slug.ts';
import { unwrapAdmonitions } from './admonitions.ts';
import { splitFrontMatter } from './front-matter.ts';
import { checkMarkdown } from './limits.ts';
import { markdownParts } from './parts.ts';
import { treeBlocks } from './tree.ts';

const OPTIONS = { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] };

/**
 * Reads GitHub-flavoured Markdown. The title is from the front matter, else the first heading of level 1; a README without one has
 * the title of its folder.
 * @param path of the file, for errors
 * @param read the reader of the text after the front matter
 * @throws if the text is nested too deep, or a paragraph contains too many marks for the parser
 */
export function readMarkdown(text: string, source: string, path = source, read = readBody): Document {
  const lines = text.replace(/\r\n?/g, '\n');
  const { body, ...fields } = splitFrontMatter(lines);
  const blocks = read(body, path, lines.slice(0, lines.length - body.length).split('\n').length);
  return { source, ...fields, title: fields.title ?? titleFromHeadings(blocks, source, path), blocks };
}

/**
 * Reads the blocks of Markdown without front matter. `path` and errors are as for `readMarkdown`.
 * @param firstLine number of the text's first line in the file
 */
export function readBody(text: string, path: string, firstLine: number): Block[] {
  const body = unwrapAdmonitions(text);
  const slugger = new Slugger();
  return markdownParts(body).flatMap(({ text, before, definitions }) => {
    checkMarkdown(text, path, firstLine + before);
    return treeBlocks(fromMarkdown(definitions + text, OPTIONS), path, slugger);
  });
}
