import { pipeline, Readable, type Transform } from 'node:stream';
import { Unreadable } from '../file.ts';
import type { Inflation } from './inflation.ts';

/**
 * Decompresses a stream, and counts its bytes.
 * @param path of the file, for errors
 * @throws Unreadable if the stream is damaged, or exceeds the limits
 */
export async function* decompress(
  compressed: AsyncIterable<Uint8Array>,
  decoder: Transform,
  path: string,
  inflation: Inflation,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  const counted = async function* () {
    for await (const chunk of compressed) {
      length += chunk.length;
      yield chunk;
    }
  };
  // The loop below throws the errors of all streams, so the callback is empty.
  const stream: AsyncIterable<Uint8Array> = pipeline(Readable.from(counted()), decoder, () => {});
  try {
    yield* inflation.count(stream, path, () => length);
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
