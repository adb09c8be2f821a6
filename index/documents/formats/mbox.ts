import { damaged } from '../archive/decompress.ts';
import { Entries } from '../archive/entries.ts';
import { contentIds } from '../content-id.ts';
import { type Notice, Unreadable } from '../file.ts';
import type { Input, Reader } from '../input.ts';
import { readAttachments } from '../mail/attachments.ts';
import { addOwnText, messageDocument } from '../mail/document.ts';
import { KnownText } from '../mail/known-text.ts';
import { mailboxMessages } from '../mail/mbox.ts';
import { type Message, parseMessage } from '../mail/message.ts';

const MAX_MESSAGE_BYTES = 64 * 2 ** 20;
/** Enough for 10 million sentences. */
const KNOWN_BYTES = 2 ** 25;

/**
 * Reads a document from each message of a mailbox file, and the files attached to it. Reads the file twice: text that a message
 * quotes is left out if another message contains it, before or after.
 */
export const read: Reader = async function* (input) {
  const known = new KnownText(KNOWN_BYTES);
  let count = 0;
  for await (const { message } of messages(input, () => {})) {
    count++;
    if (message) addOwnText(message, known);
  }
  if (count === 0) throw input.failure('damaged', 'It contains no message. Export it again as mbox.');
  const entries = new Entries(input);
  const idOf = contentIds(input.source);
  const ids = new Set<string>();
  for await (const { message, place } of messages(input, input.report)) {
    if (!message) continue;
    if (message.id && ids.has(message.id)) {
      input.report({ kind: 'skipped', place, reason: 'duplicate message' });
      continue;
    }
    if (message.id) ids.add(message.id);
    const id = idOf(message.id ?? message.parts.map(({ text }) => text).join('\n'));
    const document = messageDocument(message, known, input.source);
    if (document) yield { ...document, id };
    else if (message.attachments.length === 0)
      input.report({ kind: 'skipped', place, reason: 'no text', fix: 'It has no subject and no text.' });
    yield* readAttachments(message.attachments, entries, `${id}/`);
  }
};

/** A message is undefined if it cannot be read. */
async function* messages(
  { path, open }: Input,
  report: (notice: Notice) => void,
): AsyncGenerator<{ message?: Message; place: string }> {
  for await (const { number, bytes } of mailboxMessages(open(), MAX_MESSAGE_BYTES)) {
    const place = `${path}:message ${number}`;
    try {
      if (!bytes) throw new Unreadable(place, 'too large', 'Save its files apart, and remove them.');
      yield { message: await parseMessage(bytes, { path: place, report }), place };
    } catch (error) {
      report(damaged(place, error).notice);
      yield { place };
    }
  }
}
