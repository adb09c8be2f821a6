import { Unreadable } from '../../documents/file.ts';

/** The largest file of any source, in bytes. */
export const MAX_FILE_BYTES = 10 * 2 ** 30;

/** Streams bytes. @throws Unreadable once there are more than the limit */
export async function* limitBytes(
  stream: AsyncIterable<Uint8Array>,
  place: string,
  limit = MAX_FILE_BYTES,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > limit) throw tooLarge(place, limit);
    yield chunk;
  }
}

/** The error for a file with more bytes than the limit. */
export function tooLarge(place: string, limit = MAX_FILE_BYTES): Unreadable {
  return new Unreadable(
    place,
    'too large',
    `Split it into files of at most ${Math.ceil(limit / 2 ** 20)} MiB.`,
  );
}
