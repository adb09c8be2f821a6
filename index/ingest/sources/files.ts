import { constants, mkdtempSync, rmSync } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Unreadable } from '../../documents/file.ts';
import { Spool } from '../../format/container-file.ts';
import { codeOf } from '../../format/writable.ts';

/**
 * Streams a regular file. Follows no link in any part of its path: whoever may add a document could put one there after the files were
 * listed. Does not wait for the writer of a FIFO.
 * @param path an absolute path without links, as `realpath` returns it
 * @throws Unreadable if it is no regular file, is too large, or was replaced
 */
export async function* readRegularFile(
  path: string,
  place: string,
  limit = MAX_FILE_BYTES,
): AsyncGenerator<Uint8Array> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error) => {
    throw codeOf(error) === 'ELOOP' ? replaced(place) : error;
  });
  try {
    const found = await file.stat();
    if (!found.isFile()) throw notRegular(place);
    if (found.size > limit) throw tooLarge(place, limit);
    const now = await stat(path);
    if ((await realpath(path)) !== path || now.ino !== found.ino || now.dev !== found.dev)
      throw replaced(place);
    // Not what is appended meanwhile, which may be without end.
    if (found.size > 0) yield* file.createReadStream({ end: found.size - 1, autoClose: false });
  } finally {
    await file.close();
  }
}

/** The error for a FIFO, socket or device. */
export function notRegular(place: string): Unreadable {
  return new Unreadable(place, 'not a regular file', 'Save its content in a file.');
}

function replaced(place: string): Unreadable {
  return new Unreadable(place, 'replaced while the build ran', 'Build again.');
}

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

export function tooLarge(place: string, limit = MAX_FILE_BYTES): Unreadable {
  const fix = `Split it into files of at most ${Math.ceil(limit / 2 ** 20)} MiB.`;
  return new Unreadable(place, 'too large', fix);
}

/** A temporary file without a name. The system removes it with the process. */
export function unnamedSpool(): Spool {
  const folder = mkdtempSync(join(tmpdir(), 'polyseek-'));
  try {
    return new Spool(join(folder, 'pages'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
