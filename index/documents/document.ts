/** A value of a document's own field. */
export type MetadataValue = string | number | boolean | string[];

/** A heading or a paragraph of a document. The blocks in order contain all of its text. */
export interface Block {
  kind: 'heading' | 'paragraph';
  /** 1 (the document's own title) to 6; headings only. */
  level?: number;
  /** Set on the last block of an article (such as a byline): earlier titles do not apply to later blocks. */
  endsSection?: true;
  text: string;
  /**
   * Where a link to the document opens this block: a URL fragment without `#`, such as `install`, `page=3` or `t=12`. Blocks without
   * one have that of the block before.
   */
  anchor?: string;
  /** Share of the text in links, if at least 0.5. Text that recurs over the pages of a site is navigation if it is links. */
  links?: number;
}

/** A file, or a record of a file such as a row, as the reader of its format returns it. */
export interface Document {
  /** Path below the folder that the user named, with `/` between parts. */
  source: string;
  /**
   * 0-based number of the part, if a reader returns a long document in parts, so that it need not be in memory at once. The parts of
   * a document follow each other.
   */
  part?: number;
  /** Records have one. */
  id?: string;
  title?: string;
  /** How many parts of the title, separated by ` › `, are titles of pages above the document. They are shown, but not embedded. */
  above?: number;
  url?: string;
  /** BCP 47 tag, if the document or record declares one. */
  lang?: string;
  metadata?: Record<string, MetadataValue>;
  blocks: Block[];
}

/** The field of a document's metadata that names the groups which may read it. Without one, everyone may. */
export const ACCESS = 'access';

/** The text of a table: a line per row, with `|` between its cells. */
export function tableText(rows: string[][]): string {
  return rows.map((row) => row.join(' | ')).join('\n');
}

/** A declared language as a tag with hyphens: `pt_BR` is `pt-BR`. Names of languages are none. */
export function languageTag(declared: string | undefined): string | undefined {
  return declared !== undefined && /^[a-z]{2,3}(?:[-_][a-z\d]{1,8})*$/i.test(declared)
    ? declared.replaceAll('_', '-')
    : undefined;
}
