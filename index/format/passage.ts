import {
  type Check,
  isBoolean,
  isListOf,
  isNumber,
  isOptional,
  isRecordOf,
  isShaped,
  isText,
  isWhole,
} from './shapes.ts';

/** A value that a filter can compare. */
export type Scalar = string | number | boolean;

/** A value of a document's own field. A search can filter on it. */
export type MetadataValue = Scalar | string[];

/** Values that a field must have, by the field's name: one of them. A source that ends in `/` matches a folder. */
export type Filter = Record<string, Scalar | Scalar[]>;

/** The unit of search: some consecutive sentences of a document. */
export interface Passage {
  /** Unique in an index. It does not change when other documents do. */
  id: string;
  text: string;
  /** The headings above it, joined by ` › `; without headings, the document's title or file name. */
  title: string;
  source: string;
  /** 0-based place within its document. Neighbours have consecutive positions. */
  position: number;
  /** BCP 47 tag; `und` if the language is unknown. */
  lang: string;
  /** Opens the document at the passage's anchor, if it has one. */
  url?: string;
  /** The fragment of the URL that opens the passage, without `#`: of its first heading or paragraph. */
  anchor?: string;
  /** How many parts of the title, from its start, are titles of pages above the document. */
  above?: number;
  metadata?: Record<string, MetadataValue>;
  /** The ordinal of the first passage with the same or nearly the same text; absent if no other passage has it. */
  group?: number;
  /** `[start, end)` of each sentence in `text`, in UTF-16 code units, in order and without overlap. Headings are excluded. */
  sentences: [start: number, end: number][];
}

const isMetadataValue: Check = (value) =>
  isText(value) || isNumber(value) || isBoolean(value) || areTexts(value);
const areTexts = isListOf(isText);
const isShapedPassage = isShaped({
  id: isText,
  text: isText,
  title: isText,
  source: isText,
  position: isWhole(0),
  lang: isText,
  url: isOptional(isText),
  anchor: isOptional(isText),
  above: isOptional(isWhole(0)),
  metadata: isOptional(isRecordOf(isMetadataValue)),
  group: isOptional(isWhole(0)),
});

/** Whether a value is a passage with at least one sentence, all within its text. */
export function isPassage(value: unknown): boolean {
  if (!isShapedPassage(value)) return false;
  const { text, sentences } = value as Passage;
  const isPlace = isWhole(0, text.length);
  return (
    Array.isArray(sentences) &&
    sentences.length > 0 &&
    sentences.every((one) => Array.isArray(one) && isPlace(one[0]) && isPlace(one[1]) && one[0] <= one[1])
  );
}

/** The title of a passage's document; undefined if that is only its file name. */
export function documentTitle({ title, source, above = 0 }: Passage): string | undefined {
  const own = title.split(' › ')[above];
  return own === '' || own === source.slice(source.lastIndexOf('/') + 1) ? undefined : own;
}

/** UTF-16 code units of a title that are embedded. Longer ones are mostly sentences. */
const TITLE = 200;

/**
 * The text of a passage as it is embedded and compared word by word: after its title, unless the title only repeats a file name or a
 * heading in the text. A passage is often right because of its headings, but titles of pages above its document only dilute it.
 * @returns the text, and where the passage's own text starts in it
 */
export function withTitle({
  title,
  text,
  source,
  above = 0,
}: Pick<Passage, 'title' | 'text' | 'source' | 'above'>): {
  text: string;
  start: number;
} {
  const fileName = source.slice(source.lastIndexOf('/') + 1);
  const lines = text.slice(0, TITLE).split('\n');
  const missing =
    title === fileName
      ? []
      : title
          .split(' › ')
          .slice(above)
          .filter((part) => part !== '' && !lines.includes(part));
  if (missing.length === 0) return { text, start: 0 };
  const heading = `${missing.join(' › ').slice(0, TITLE).toWellFormed()}\n`;
  return { text: heading + text, start: heading.length };
}
