/** `From anna@example.org Mon Jan  5 10:00:00 2026`. A time and a year tell it from a sentence. */
const FROM_LINE = /^From .{0,200}\d{1,2}:\d{2}.{0,40}\b(?:19|20)\d{2}\b|^From - /;
/** A `From ` line is at most this long. */
const FROM_LENGTH = 300;
const FROM = Buffer.from('\nFrom ');
const NEW_LINE = 10;
const RETURN = 13;

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
  const mailbox = new Mailbox(maxBytes);
  for await (const chunk of stream) yield* mailbox.add(chunk);
  yield* mailbox.end();
}

/** Finds the messages in bytes that come piece by piece. */
class Mailbox {
  readonly #maxBytes: number;
  #number = 0;
  /** Complete parts of the message, unless it is too large. */
  #parts: Buffer[] = [];
  #length = 0;
  /** Bytes that may contain a part of a `From ` line. A line feed precedes the first ones, as if a blank line did. */
  #rest = Buffer.from('\n\n');

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  *add(chunk: Uint8Array): Generator<MailboxMessage> {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    yield* this.#split(this.#rest.length - FROM_LENGTH);
  }

  *end(): Generator<MailboxMessage> {
    yield* this.#split(this.#rest.length);
    this.#take(this.#rest.length);
    if (this.#number > 0) yield this.#message();
  }

  /** Finds the messages that begin before `end`, and takes the bytes before it. */
  *#split(end: number): Generator<MailboxMessage> {
    let searched = 0;
    for (;;) {
      const at = this.#rest.indexOf(FROM, searched);
      if (at === -1 || at >= end) break;
      searched = at + 1;
      const line = this.#rest.toString('latin1', at + 1, at + 1 + FROM_LENGTH);
      if (!isAfterBlankLine(this.#rest, at) || !FROM_LINE.test(line.split('\n', 1)[0]!)) continue;
      this.#take(at + 1);
      end -= at + 1;
      searched = 0;
      if (this.#number > 0) yield this.#message();
      this.#start();
    }
    // The bytes before a line tell whether it follows a blank line.
    this.#take(end - 4);
  }

  #start(): void {
    this.#number++;
    this.#parts = [];
    this.#length = 0;
  }

  #take(length: number): void {
    if (length <= 0) return;
    this.#length += length;
    if (this.#length > this.#maxBytes) this.#parts = [];
    else this.#parts.push(this.#rest.subarray(0, length));
    this.#rest = this.#rest.subarray(length);
  }

  #message(): MailboxMessage {
    if (this.#length > this.#maxBytes) return { number: this.#number };
    const bytes = Buffer.concat(this.#parts);
    return { number: this.#number, bytes: unquoted(bytes.subarray(bytes.indexOf(NEW_LINE) + 1)) };
  }
}

function isAfterBlankLine(bytes: Buffer, lineFeed: number): boolean {
  const before = bytes[lineFeed - 1] === RETURN ? lineFeed - 2 : lineFeed - 1;
  return bytes[before] === NEW_LINE;
}

/**
 * In mboxrd, each line that begins with `From ` after any `>` has one more `>`. In mboxo, only those without.
 */
function unquoted(message: Buffer): Buffer {
  if (!message.includes('>From ')) return message;
  return Buffer.from(message.toString('latin1').replace(/^>(>{0,99}From )/gm, '$1'), 'latin1');
}
