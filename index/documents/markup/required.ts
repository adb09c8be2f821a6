import type { Document } from '../document.ts';
import type { Input } from '../input.ts';

/**
 * The document, if it has text.
 * @throws Unreadable otherwise
 */
export function withText(document: Document, input: Input): Document {
  if (document.blocks.some(({ text }) => text.trim() !== '')) return document;
  throw input.failure('no text', 'Write text into it, or exclude it.');
}
