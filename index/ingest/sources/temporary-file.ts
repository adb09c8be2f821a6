import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Contents that were fetched and may be read later, in a file that has no name. The system removes it with the process. */
export class TemporaryFile {
  #file: number | undefined;
  #length = 0;

  /** Stores a content. @returns what streams it, as often as needed */
  add(content: Uint8Array): () => AsyncIterable<Uint8Array> {
    this.#file ??= openWithoutName();
    const file = this.#file;
    const start = this.#length;
    for (let at = 0; at < content.length; )
      at += writeSync(file, content, at, content.length - at, start + at);
    this.#length += content.length;
    if (content.length === 0) return async function* () {};
    const end = this.#length - 1;
    return () => createReadStream('', { fd: file, start, end, autoClose: false });
  }

  /** Removes all contents. */
  clear(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#length = 0;
  }
}

function openWithoutName(): number {
  const folder = mkdtempSync(join(tmpdir(), 'polyseek-'));
  try {
    return openSync(join(folder, 'pages'), 'wx+');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
