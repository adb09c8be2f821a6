import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { decode } from '../encoding.ts';
import type { Notice } from '../file.ts';

/** Charsets are declared at the start of a message, or of its parts. */
const SEARCHED = 2 ** 16;

/**
 * A message with headers in UTF-8, as the parser expects them. Headers of old messages are in the charset of their body without
 * saying so. Messages that declare no charset are decoded by their content.
 */
export async function withUtf8Headers(
  message: Buffer,
  origin: { path: string; report: (notice: Notice) => void },
): Promise<Buffer> {
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
export function fixWindows1252(text: string): string {
  return text.replace(/[\u0080-\u009f]/g, (char) =>
    iconv.decode(Buffer.from([char.charCodeAt(0)]), 'windows-1252'),
  );
}
