import { createReadStream } from 'node:fs';
import type { Document } from '../documents/document.ts';
import type { InputFile, Notice, ReadOptions } from '../documents/file.ts';
import { readFile } from '../documents/formats.ts';

/** A file for the reading process. */
export interface ReadJob extends Omit<InputFile, 'open'> {
  localPath: string;
  options: ReadOptions;
}

/** A message to the reading process: a file to read, or that the parent has taken a document. */
export type ToChild = { job: ReadJob } | { taken: true };

/** A message from the reading process. `ready` is the first; `done` ends a file. */
export type FromChild = { ready: true } | { document: Document } | { notice: Notice } | { done: true };

/** Documents sent ahead of the parent. */
const AHEAD = 16;

let untaken = 0;
let wake = () => {};

function send(message: FromChild): void {
  process.send?.(message);
}

async function read({ localPath, options, ...file }: ReadJob): Promise<void> {
  const report = (notice: Notice) => send({ notice });
  const open = () => createReadStream(localPath);
  for await (const document of readFile(
    { ...file, open },
    { options, depth: 0, report, readNested: readFile },
  )) {
    untaken++;
    send({ document });
    while (untaken >= AHEAD) await new Promise<void>((resolve) => (wake = resolve));
  }
  send({ done: true });
}

process.on('message', (message: ToChild) => {
  if ('job' in message) void read(message.job);
  else {
    untaken--;
    wake();
  }
});
// Parsers give up parts of a damaged file in the background, after they have failed the file itself.
process.on('unhandledRejection', () => {});
process.on('disconnect', () => process.exit());
send({ ready: true });
