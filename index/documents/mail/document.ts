import type { Block, Document } from '../document.ts';
import type { KnownText } from './known-text.ts';
import type { Message, MessagePart } from './message.ts';

/** A longer line above a quote is not a heading. */
const MAX_HEADING_LENGTH = 200;

/**
 * The document of a message. Quoted text that is known is left out, with the line that introduces it. The rest of it is kept, and
 * known from then on.
 * @param known contains the own text of all messages that are read
 * @returns undefined if it has neither a text nor a subject
 */
export function messageDocument(
  { subject, metadata, parts }: Message,
  known: KnownText,
  source: string,
): Document | undefined {
  const lastOwn = parts.findLastIndex((part) => !part.quoted);
  const blocks = parts.flatMap((part, i) =>
    part.quoted ? quotedBlocks(part, known, i > lastOwn) : part.blocks(part.text),
  );
  if (blocks.length === 0 && subject) blocks.push({ kind: 'paragraph', text: subject });
  if (blocks.length === 0) return undefined;
  return { source, title: subject, metadata, blocks };
}

/** Adds what the sender of a message wrote. */
export function addOwnText({ parts }: Message, known: KnownText): void {
  for (const { quoted, text } of parts) if (!quoted) known.add(text);
}

/** Text quoted after the whole reply is a section of its own, so that a passage of it equals one of the quoted message. */
function quotedBlocks({ text, intro, blocks }: MessagePart, known: KnownText, isLast: boolean): Block[] {
  const rest = known.newIn(text);
  known.add(rest);
  const found = blocks(rest);
  if (found.length === 0 || !intro) return found;
  const line = intro.replace(/\s+/g, ' ');
  const isHeading = isLast && line.length <= MAX_HEADING_LENGTH;
  return [
    isHeading ? { kind: 'heading', level: 2, text: line } : { kind: 'paragraph', text: intro },
    ...found,
  ];
}
