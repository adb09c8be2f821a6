import { pipeline, Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { damaged } from '../archive/decompress.ts';
import { Entries } from '../archive/entries.ts';
import { type Spool, spool } from '../archive/spool.ts';
import type { Reader } from '../input.ts';

/** Reads archives of Unix version 7 too, which name no format. The package's types lack the option. */
const OPTIONS: Parameters<typeof extract>[0] & { allowUnknownFormat: boolean } = { allowUnknownFormat: true };

/** Reads the files in the order of the archive. Links are left out: their targets are files of the archive too. */
export const read: Reader = async function* (input) {
  const entries = new Entries(input);
  const archive = extract(OPTIONS);
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
