import { ByteReader } from '../archive/byte-reader.ts';

/** `From anna@example.org Mon Jan  5 10:00:00 2026`. A time and a year tell it from a sentence. */
const FROM_LINE = /^From .{0,200}\d{1,2}:\d{2}.{0,40}\b(?:19|20)\d{2}\b|^From - /;
const QUOTED_FROM = /^>+From /;
const MAX_LINE_BYTES = 2 ** 20;
/** Lines are joined in groups: a buffer for each would take more memory than the message. */
const GROUP = 4096;

/** A message of a mailbox file. */
export interface MailboxMessage {
  /** 1-based. */
  number: number;
  /** Undefined if it is too large. */
  bytes?: Buffer;
}

/**
 * Streams the messages of a mailbox file (RFC 4155, mboxo and mboxrd). A message begins with a `From ` line, at the start or after a
 * blank line. Nothing is returned if the file has another format.
 * @param maxBytes of a message
 */
export async function* mailboxMessages(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<MailboxMessage> {
  const reader = new ByteReader(stream);
  let number = 0;
  let content = new MessageContent(maxBytes);
  let isAfterBlank = true;
  for (let line = await reader.line(MAX_LINE_BYTES); line; line = await reader.line(MAX_LINE_BYTES)) {
    if (isAfterBlank && isFromLine(line)) {
      if (number > 0) yield { number, bytes: content.bytes() };
      number++;
      content = new MessageContent(maxBytes);
    } else if (number > 0) content.add(unquoted(line));
    isAfterBlank = line.length <= 2 && line.toString('latin1').trim() === '';
  }
  if (number > 0) yield { number, bytes: content.bytes() };
}

function isFromLine(line: Buffer): boolean {
  return line[0] === 0x46 && FROM_LINE.test(line.toString('latin1', 0, 300));
}

/** In mboxrd, each line that begins with `From ` after any `>` has one more `>`. In mboxo, only those without. */
function unquoted(line: Buffer): Buffer {
  return line[0] === 0x3e && QUOTED_FROM.test(line.toString('latin1', 0, 300)) ? line.subarray(1) : line;
}

class MessageContent {
  readonly #maxBytes: number;
  #length = 0;
  #groups: Buffer[] = [];
  #lines: Buffer[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(line: Buffer): void {
    this.#length += line.length;
    if (this.#length > this.#maxBytes) this.#groups = [];
    else if (this.#lines.push(line) < GROUP) return;
    else this.#groups.push(Buffer.concat(this.#lines));
    this.#lines = [];
  }

  /** Undefined if it is too large. */
  bytes(): Buffer | undefined {
    return this.#length > this.#maxBytes ? undefined : Buffer.concat([...this.#groups, ...this.#lines]);
  }
}
