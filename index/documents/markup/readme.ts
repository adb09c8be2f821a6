import type { Block } from '../document.ts';

/** Headings of a README that do not name its project. */
const GENERIC =
  /^(?:read ?me|about|changes|changelog|contents|contributing|description|docs?|documentation|features?|getting started|index|install(?:ation)?|introduction|licen[cs]es?|overview|quick ?start|synopsis|table of contents|usage|welcome)[.:!]?$/i;

/**
 * The title of a document without a declared one: its first heading of level 1. A README without one that names its project has the
 * title of its folder.
 */
export function titleFromHeadings(blocks: Block[], source: string, path: string): string | undefined {
  const heading = blocks.find(({ level }) => level === 1)?.text;
  if (!/(?:^|\/)readme(?:[._-][^/]*)?$/i.test(source)) return heading;
  if (heading !== undefined && !GENERIC.test(heading)) return heading;
  return folderOf(source) ?? folderOf(path) ?? heading;
}

function folderOf(path: string): string | undefined {
  const name = path.split(/[/\\]/).at(-2);
  return name === undefined || /^\.*$/.test(name) ? undefined : name;
}
