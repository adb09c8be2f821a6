import { Entries } from '../archive/entries.ts';
import { spool } from '../archive/spool.ts';
import { zipEntries } from '../archive/zip-file.ts';
import type { Reader } from '../input.ts';

/** Reads the files by name: an archive's order depends on the program that made it. */
export const read: Reader = async function* (input) {
  const entries = new Entries(input);
  const archive = await spool(input.open());
  try {
    for (const { name, open } of await zipEntries(input, archive)) yield* entries.read(name, { open });
  } finally {
    await archive.close();
  }
  entries.finish();
};
