import { createGunzip } from 'node:zlib';
import { decompress } from '../archive/decompress.ts';
import { checkDepth } from '../archive/entries.ts';
import type { Reader } from '../input.ts';

/** Reads the compressed file under its own name: a link to `notes.txt.gz` opens it. */
export const read: Reader = async function* (input) {
  checkDepth(input);
  const { source, path, url, charset } = input;
  const count = input.inflation.counter(path);
  yield* input.nested({
    source,
    path,
    url,
    charset,
    extension: innerName(source),
    open: () => decompress(input.open(), createGunzip(), path, count),
  });
};

function innerName(source: string): string {
  return source.replace(/\.tgz$/i, '.tar').replace(/\.gz$/i, '');
}
