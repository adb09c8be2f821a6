import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import PostalMime, { type Address, type Attachment, type Email } from 'postal-mime';
import type { Block, MetadataValue } from '../document.ts';
import { decode } from '../encoding.ts';
import { Unreadable } from '../file.ts';
import type { Input } from '../input.ts';
import { textBlocks } from '../plain/text.ts';
import { htmlBody } from './html-body.ts';
import { type MailPart, mailParts } from './quotes.ts';

/** Bounds the parser's time and memory. */
const MAX_LINES = 1_000_000;
/** Lines of encoded files are longer. */
const SHORT_LINE = 60;
const MAX_SHORT_LINES = 250_000;
const MAX_TEXT_LENGTH = 8 * 2 ** 20;
/** Parts of a message begin with a line that starts with `--`. */
const MAX_PARTS = 50_000;
const MAX_PART_DEPTH = 50;
const MAX_HEADER_BYTES = 256 * 2 ** 10;
const MAX_PEOPLE = 20;
/** A message has at least one of them. */
const HEADERS = new Set(['from', 'to', 'date', 'subject', 'received', 'message-id', 'content-type']);
const ENCRYPTED = new Set([
  'application/pgp-encrypted',
  'application/pkcs7-mime',
  'application/x-pkcs7-mime',
]);
/** Where less of the text than this is in its plain version, that is a note that the message needs a program for HTML. */
const STUB = 0.25;

/** A message as its reader needs it. */
export interface Message {
  /** Without angle brackets. */
  id?: string;
  subject?: string;
  metadata: Record<string, MetadataValue>;
  parts: MessagePart[];
  attachments: Attachment[];
}

/** A part of a message: what its sender wrote, or what it quotes. */
export interface MessagePart extends MailPart {
  /** The blocks of the text, or of what is new in it. */
  blocks(text: string): Block[];
}

type Origin = Pick<Input, 'path' | 'report'>;

/**
 * Parses a message (RFC 5322, MIME).
 * @throws Unreadable if it is not one
 */
export async function parseMessage(bytes: Buffer, origin: Origin): Promise<Message> {
  const { path } = origin;
  checkSize(bytes, path);
  const email = await PostalMime.parse(await withUtf8Headers(bytes, origin), {
    forceRfc822Attachments: true,
    maxNestingDepth: MAX_PART_DEPTH,
    maxHeadersSize: MAX_HEADER_BYTES,
  }).catch((error: Error) => {
    throw new Unreadable(path, 'damaged', `Export it again from the mail program (${error.message}).`);
  });
  if (!email.headers.some(({ key }) => HEADERS.has(key)))
    throw new Unreadable(path, 'damaged', 'It is not an e-mail: it has no headers. Export it again.');
  const length = Math.max(email.text?.length ?? 0, email.html?.length ?? 0);
  if (length > MAX_TEXT_LENGTH) throw tooLarge(path, `its text has ${length} characters`);
  if (!email.text && !email.html && email.attachments.some(({ mimeType }) => ENCRYPTED.has(mimeType)))
    throw new Unreadable(path, 'encrypted', 'Decrypt it in the mail program, and export it again.');
  const id = email.messageId?.replace(/^<|>$/g, '') || undefined;
  return {
    id,
    subject: fixWindows1252(email.subject?.replace(/\s+/g, ' ').trim() ?? '') || undefined,
    metadata: metadataOf(email, id),
    parts: partsOf(email, path),
    attachments: email.attachments,
  };
}

function checkSize(bytes: Buffer, path: string): void {
  let [lines, short, parts, start] = [0, 0, 0, 0];
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
    lines++;
    if (end - start < SHORT_LINE) short++;
    if (bytes[start] === 0x2d && bytes[start + 1] === 0x2d) parts++;
    start = end + 1;
  }
  if (lines > MAX_LINES || short > MAX_SHORT_LINES || parts > MAX_PARTS)
    throw tooLarge(path, `it has ${lines} lines`);
}

function tooLarge(path: string, detail: string): Unreadable {
  return new Unreadable(path, 'too large', `Save its long text or its files apart (${detail}).`);
}

function metadataOf(email: Email, id: string | undefined): Record<string, MetadataValue> {
  const from = email.from && people([email.from])[0];
  const to = people(email.to ?? []);
  const date = dateOf(email);
  return {
    ...(from && { from }),
    ...(to.length > 0 && { to }),
    ...(date && { date }),
    ...(id && { 'message-id': id }),
  };
}

function people(addresses: Address[]): string[] {
  return addresses
    .flatMap((address) => address.group ?? address)
    .slice(0, MAX_PEOPLE)
    .map(({ name, address = '' }) =>
      name && address && name !== address ? `${name} <${address}>` : address || name,
    )
    .map(fixWindows1252)
    .filter((text) => text !== '');
}

/** A date without a time zone is in UTC, so that the result does not depend on the machine. */
function dateOf({ headers }: Email): string | undefined {
  const value = headers.find(({ key }) => key === 'date')?.value.replace(/\s*\([^()]{0,40}\)\s*$/, '') ?? '';
  const hasZone = /(?:[+-]\d{4}|\b[A-Z]{1,4})$/i.test(value.trim());
  const date = new Date(hasZone ? value : `${value} UTC`);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function partsOf({ text = '', html }: Email, path: string): MessagePart[] {
  const plain = mailParts(fixWindows1252(text)).map((part) => ({ ...part, blocks: textBlocks }));
  if (!html) return plain;
  const { own, quoted } = htmlBody(fixWindows1252(html), path);
  const lengthOf = (texts: { text: string }[]) => texts.reduce((sum, one) => sum + one.text.length, 0);
  if (plain.length > 0 && lengthOf(plain) >= STUB * lengthOf([...own, ...quoted])) return plain;
  const partOf = (block: Block, quoted: boolean): MessagePart => ({
    quoted,
    text: block.text,
    blocks: (text) => (text === '' ? [] : [{ ...block, text }]),
  });
  return [...own.map((block) => partOf(block, false)), ...quoted.map((block) => partOf(block, true))];
}

/** Charsets are declared at the start of a message, or of its parts. */
const SEARCHED = 2 ** 16;

/**
 * A message with headers in UTF-8, as the parser expects them. Headers of old messages are in the charset of their body without
 * saying so. Messages that declare no charset are decoded by their content.
 */
async function withUtf8Headers(message: Buffer, origin: Origin): Promise<Buffer> {
  if (isUtf8(message)) return message;
  const start = message.toString('latin1', 0, SEARCHED);
  const declared = /charset\s{0,9}=\s{0,9}"?([\w.:-]{1,40})/i.exec(start)?.[1];
  if (declared === undefined) return Buffer.from(await decode(message, origin));
  const end = /\r?\n\r?\n/.exec(start)?.index ?? 0;
  const headers = message.subarray(0, end);
  if (isUtf8(headers) || !iconv.encodingExists(declared)) return message;
  return Buffer.concat([Buffer.from(iconv.decode(headers, declared)), message.subarray(end)]);
}

/** Node 20 decodes windows-1252 as ISO-8859-1, which has control characters in place of quotation marks, dashes and the euro sign. */
function fixWindows1252(text: string): string {
  return text.replace(/[\u0080-\u009f]/g, (char) =>
    iconv.decode(Buffer.from([char.charCodeAt(0)]), 'windows-1252'),
  );
}
