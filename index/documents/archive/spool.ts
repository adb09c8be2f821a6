import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Content up to this size is in memory. */
const MEMORY = 32 * 2 ** 20;

/** A stream's content, which can be read several times and at any place. Large content is in a temporary file. */
export interface Spool {
  /** The content, or a file with it. */
  readonly content: Buffer | FileHandle;
  /** Streams the content. */
  open(): AsyncIterable<Uint8Array>;
  /** Removes the temporary file. */
  close(): Promise<void>;
}

/** Reads a stream to its end. */
export async function spool(stream: AsyncIterable<Uint8Array>, memory = MEMORY): Promise<Spool> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let file: FileHandle | undefined;
  try {
    for await (const chunk of stream) {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= memory) continue;
      file ??= await temporaryFile();
      await file.writev(chunks.splice(0));
    }
  } catch (error) {
    await file?.close();
    throw error;
  }
  const content = file ?? Buffer.concat(chunks);
  return {
    content,
    open: async function* () {
      if (Buffer.isBuffer(content)) yield content;
      else yield* content.createReadStream({ start: 0, autoClose: false });
    },
    close: async () => file?.close(),
  };
}

/** The file has no name once it is open, so the system removes it even if the process is killed. */
async function temporaryFile(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'polyseek-'));
  try {
    return await open(join(folder, 'spool'), 'wx+');
  } finally {
    await rm(folder, { recursive: true });
  }
}
