import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { damaged } from '../file.ts';
import type { Input, Reader } from '../input.ts';
import { checkDepth, Entries } from './entries.ts';
import { type Spool, spool } from './spool.ts';
import { Zip } from './zip.ts';

/** Reads archives of Unix version 7 too, which name no format. The package's types lack the option. */
const TAR: Parameters<typeof extract>[0] & { allowUnknownFormat: boolean } = { allowUnknownFormat: true };

/** Reads the files of a zip file. */
export const readZip: Reader = async function* (input) {
  const entries = new Entries(input);
  const archive = await spool(input.open());
  try {
    const zip = await Zip.open(archive.content, input);
    for (const { name, open } of zip.files()) yield* entries.read(name, { open });
  } finally {
    await archive.close();
  }
  entries.finish();
};

/** Reads the files in the order of the archive. Links are left out: their targets are files of the archive too. */
export const readTar: Reader = async function* (input) {
  const entries = new Entries(input);
  const archive = extract(TAR);
  // The loop below throws the errors of both streams, so the callback is empty.
  pipeline(Readable.from(input.open()), archive, () => {});
  try {
    for await (const entry of archive) {
      const { type, name } = entry.header;
      let content: Spool | undefined;
      if (type === 'file' || type === 'contiguous-file')
        yield* entries.read(name, {
          open: async function* () {
            content ??= await spool(entry as AsyncIterable<Uint8Array>);
            yield* content.open();
          },
        });
      await content?.close();
      entry.resume();
    }
  } catch (error) {
    throw damaged(input.path, error);
  }
  entries.finish();
};

/** Reads the compressed file under its own name: a link to `notes.txt.gz` opens it. */
export const readGzip: Reader = async function* (input) {
  checkDepth(input);
  const { source, path, url, charset } = input;
  const count = input.inflation.counter(path);
  const extension = source.replace(/\.tgz$/i, '.tar').replace(/\.gz$/i, '');
  const open = () => count(inflate(input));
  yield* input.nested({ source, path, url, charset, extension, open });
};

async function* inflate({ open, path }: Input): AsyncGenerator<Uint8Array> {
  try {
    // The error of either stream is thrown here, so the callback is empty.
    yield* pipeline(Readable.from(open()), createGunzip(), () => {});
  } catch (error) {
    throw damaged(path, error);
  }
}
