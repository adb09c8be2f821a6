import PostalMime, { type Attachment } from 'postal-mime';
import { checkDepth, Entries } from '../archive/entries.ts';
import { extensionOf, hasExtension } from '../archive/names.ts';
import { contentIds } from '../content-id.ts';
import type { Block, Document } from '../document.ts';
import { damaged, type Notice, Unreadable } from '../file.ts';
import type { Input, Reader } from '../input.ts';
import { KnownText } from './known-text.ts';
import { mailboxMessages } from './mbox.ts';
import { type Message, type MessagePart, parseMessage } from './message.ts';

/** Of a message, or a saved page. */
const MAX_BYTES = 64 * 2 ** 20;
const MAX_PART_DEPTH = 50;
/** Bytes for the sentences of a message, and of a mailbox: enough for 10 million. */
const KNOWN_IN_MESSAGE = 2 ** 20;
const KNOWN_IN_MAILBOX = 2 ** 25;

/**
 * Reads a message, and the files attached to it. Text that it quotes is kept once, since this file may be the only one that contains
 * it. The build finds passages that are the same in other messages.
 */
export const readMessage: Reader = async function* (input) {
  const message = await parseMessage(await input.bytes(MAX_BYTES), input);
  const known = new KnownText(KNOWN_IN_MESSAGE);
  addOwnText(message, known);
  const document = messageDocument(message, known, input.source);
  if (document) yield document;
  if (message.attachments.length > 0) yield* readAttachments(message.attachments, new Entries(input), '');
  else if (!document) throw input.failure('no text', 'It has no subject and no text. Remove it.');
};

/**
 * Reads a document from each message of a mailbox file, and the files attached to it. Reads the file twice: text that a message
 * quotes is left out if another message contains it, before or after.
 */
export const readMailbox: Reader = async function* (input) {
  const known = new KnownText(KNOWN_IN_MAILBOX);
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
  for await (const { number, bytes } of mailboxMessages(open(), MAX_BYTES)) {
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

/** Reads a page that a browser saved in a single file (RFC 2557). Its address is the one that it was saved from. */
export const readSavedPage: Reader = async function* (input) {
  checkDepth(input);
  const page = await PostalMime.parse(await input.bytes(MAX_BYTES), { maxNestingDepth: MAX_PART_DEPTH });
  const { html } = page;
  if (!html) throw input.failure('damaged', 'It contains no page. Save the page again.');
  const address = page.headers.find(({ key }) => key === 'snapshot-content-location')?.value;
  yield* input.nested({
    source: input.source,
    path: input.path,
    url: address && /^https?:/i.test(address) ? address : input.url,
    extension: '.html',
    charset: 'utf-8',
    open: async function* () {
      yield Buffer.from(html);
    },
  });
};

/** A longer line above a quote is not a heading. */
const MAX_HEADING_LENGTH = 200;

/**
 * The document of a message. Quoted text that is known is left out, with the line that introduces it. The rest of it is kept, and
 * known from then on.
 * @param known contains the own text of all messages that are read
 * @returns undefined if it has neither a text nor a subject
 */
function messageDocument(
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
function addOwnText({ parts }: Message, known: KnownText): void {
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

/** Parts that are no documents of their own. */
const IGNORED = new Set([
  'application/pgp-encrypted',
  'application/pgp-signature',
  'application/pkcs7-signature',
  'application/x-pkcs7-signature',
  'message/delivery-status',
  'text/rfc822-headers',
]);

/**
 * Reads the files attached to a message by their own formats. Leaves out pictures in the text, and signatures.
 * @param folder precedes their names: empty, or it ends with `/`
 */
async function* readAttachments(
  attachments: readonly Attachment[],
  entries: Entries,
  folder: string,
): AsyncGenerator<Document> {
  const names = new Set<string>();
  for (const { filename, mimeType, disposition, related, content } of attachments) {
    if (related || IGNORED.has(mimeType) || typeof content === 'string') continue;
    if (mimeType.startsWith('image/') && disposition !== 'attachment') continue;
    // Mail programs send types that are less exact than names: spreadsheets' for CSV files.
    const extension = hasExtension(filename ?? '') ? undefined : extensionOf(mimeType, '');
    const name = uniqueName(filename ?? `attachment${extension ?? ''}`, names);
    yield* entries.read(`${folder}${name}`, {
      extension,
      open: async function* () {
        yield new Uint8Array(content);
      },
    });
  }
}

/** `report.pdf`, `2/report.pdf`. A name may contain `/`: only its last part counts. */
function uniqueName(filename: string, names: Set<string>): string {
  const base = filename.split(/[/\\]/).at(-1) || 'attachment';
  let name = base;
  for (let i = 2; names.has(name); i++) name = `${i}/${base}`;
  names.add(name);
  return name;
}
