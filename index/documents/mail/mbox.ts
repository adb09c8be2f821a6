/** `From anna@example.org Mon Jan  5 10:00:00 2026`. A time and a year tell it from a sentence. */
const FROM_LINE = /^From .{0,200}\d{1,2}:\d{2}.{0,40}\b(?:19|20)\d{2}\b|^From - /;
/** A `From ` line is at most this long. */
const FROM_LENGTH = 300;
const FROM = Buffer.from('\nFrom ');
const NEW_LINE = 10;
const RETURN = 13;

/** A message of a mailbox file. */
interface MailboxMessage {
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
  let number = 0;
  /** Complete parts of the message, unless it is too large. */
  let parts: Buffer[] = [];
  let length = 0;
  /** Bytes that may contain a part of a `From ` line. A line feed precedes the first ones, as if a blank line did. */
  let rest = Buffer.from('\n\n');
  const take = (end: number) => {
    const part = rest.subarray(0, Math.max(0, end));
    rest = rest.subarray(part.length);
    length += part.length;
    if (length <= maxBytes) parts.push(part);
    else parts = [];
  };
  const message = (): MailboxMessage => {
    if (length > maxBytes) return { number };
    const bytes = Buffer.concat(parts);
    return { number, bytes: unquoted(bytes.subarray(bytes.indexOf(NEW_LINE) + 1)) };
  };
  /** Finds the messages that begin before `end`, and takes the bytes before it. */
  function* split(end: number): Generator<MailboxMessage> {
    const limit = end - rest.length;
    for (let at = rest.indexOf(FROM); at !== -1 && at < rest.length + limit; ) {
      const line = rest.toString('latin1', at + 1, at + 1 + FROM_LENGTH);
      if (!isAfterBlankLine(rest, at) || !FROM_LINE.test(line.split('\n', 1)[0]!)) {
        at = rest.indexOf(FROM, at + 1);
        continue;
      }
      take(at + 1);
      if (number > 0) yield message();
      number++;
      [parts, length] = [[], 0];
      at = rest.indexOf(FROM);
    }
    // The bytes before a line tell whether it follows a blank line.
    take(rest.length + limit - 4);
  }
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk]);
    yield* split(rest.length - FROM_LENGTH);
  }
  yield* split(rest.length);
  take(rest.length);
  if (number > 0) yield message();
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
