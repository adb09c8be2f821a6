import type { Passage } from './passage.ts';

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
