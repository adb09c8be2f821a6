import { Entries } from '../archive/entries.ts';
import type { Reader } from '../input.ts';
import { readAttachments } from '../mail/attachments.ts';
import { addOwnText, messageDocument } from '../mail/document.ts';
import { KnownText } from '../mail/known-text.ts';
import { parseMessage } from '../mail/message.ts';

const MAX_BYTES = 64 * 2 ** 20;
const KNOWN_BYTES = 2 ** 20;

/**
 * Reads a message, and the files attached to it. Text that it quotes is kept once, since this file may be the only one that contains
 * it. The build finds passages that are the same in other messages.
 */
export const read: Reader = async function* (input) {
  const message = await parseMessage(await input.bytes(MAX_BYTES), input);
  const known = new KnownText(KNOWN_BYTES);
  addOwnText(message, known);
  const document = messageDocument(message, known, input.source);
  if (document) yield document;
  if (message.attachments.length > 0) yield* readAttachments(message.attachments, new Entries(input), '');
  else if (!document) throw input.failure('no text', 'It has no subject and no text. Remove it.');
};
