import { pipeline, Readable, type Transform } from 'node:stream';
import { Unreadable } from '../file.ts';

/**
 * Decompresses a stream.
 * @param path of the file, for errors
 * @param count counts the decompressed bytes: of `Inflation.counter`
 * @throws Unreadable if the stream is damaged, or exceeds the limits
 */
export async function* decompress(
  compressed: AsyncIterable<Uint8Array>,
  decoder: Transform,
  path: string,
  count: (stream: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  // The loop below throws the errors of all streams, so the callback is empty.
  const stream: AsyncIterable<Uint8Array> = pipeline(Readable.from(compressed), decoder, () => {});
  try {
    yield* count(stream);
  } catch (error) {
    throw damaged(path, error);
  }
}

/** The error for compressed data or an archive that does not match its format. Errors that tell what to do stay as they are. */
export function damaged(path: string, error: unknown): Unreadable {
  if (error instanceof Unreadable) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Unreadable(
    path,
    'damaged',
    `Download it again, or make it again (${message.replace(/\.$/, '')}).`,
  );
}
