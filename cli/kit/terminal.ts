import { printable } from '../../functions/web/client/printable.ts';

/** The styles of `styleText` that commands use: bold, dim, underline, colours and their ends. */
const STYLE = /(\p{Cc}\[(?:[124]|2[24]|3[1-9])m)/u;

/**
 * A text for a terminal. Replaces all control characters but those of styles: names and texts of documents could otherwise move the
 * cursor, change the title or write to the clipboard.
 */
export function forTerminal(text: string): string {
  const parts = text.split(STYLE);
  return parts.map((part, i) => (i % 2 === 1 && part.startsWith('\u001b') ? part : printable(part))).join('');
}
