import { Worker } from 'node:worker_threads';
import type { Document } from '../../documents/document.ts';
import type { InputFile, Notice, ReadOptions } from '../../documents/file.ts';
import { readFile } from '../../documents/read-file.ts';
import { readRegularFile } from '../sources/files.ts';

export interface ReadJob extends Omit<InputFile, 'open'> {
  /** Without links. */
  localPath: string;
  options: ReadOptions;
}

/** A message to the reading process: a file to read, or that the parent has taken a document. */
export type ToChild = { job: ReadJob } | { taken: true };

/**
 * A message from the reading process. `started` begins a file, with the CPU milliseconds that the process has used so far, and `done`
 * ends it.
 */
export type FromChild = { started: number } | { document: Document } | { notice: Notice } | { done: true };

/** The argument: a file descriptor for lines with the CPU milliseconds used so far, a space, and the resident bytes. */
const USAGE_FD = Number(process.argv[2]);
const INTERVAL = 100;

const AHEAD = 16;

let untaken = 0;
let wake = () => {};

function send(message: FromChild): void {
  process.send?.(message);
}

async function read({ localPath, options, ...file }: ReadJob): Promise<void> {
  const { user, system } = process.cpuUsage();
  send({ started: (user + system) / 1000 });
  const report = (notice: Notice) => send({ notice });
  const open = () => readRegularFile(localPath, file.path);
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
// A thread of its own, because a parser blocks this one.
new Worker(
  `const { writeSync } = require('node:fs');
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    writeSync(${USAGE_FD}, (user + system) / 1000 + ' ' + process.memoryUsage.rss() + '\\n');
  }, ${INTERVAL});`,
  { eval: true, execArgv: [] },
);
