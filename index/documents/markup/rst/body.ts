import type { BlockList } from '../block-list.ts';

/** The part of a text that elements are read from: the document, or the content of an element. */
export interface Body {
  list: BlockList;
  depth: number;
  /** Of the names that directives in it describe: `Class.`. */
  prefix: string;
}

/** Reads bodies in bodies. */
export interface BodyReader {
  /** Adds the elements of the lines to the body's list. */
  read(lines: string[], body: Body): void;
  /** Adds a title, and content whose first paragraph belongs to it. */
  titled(title: string, content: string[], body: Body): void;
  /** The text of inline markup. */
  inline(text: string): string;
}

/** The body of an element in a body. It adds to the same list, unless it has its own. */
export function bodyIn(body: Body, own: Partial<Body> = {}): Body {
  return { ...body, depth: body.depth + 1, ...own };
}
