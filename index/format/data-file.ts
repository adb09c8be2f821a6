import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { FileChecks } from './block-checks.ts';
import { damaged } from './damaged.ts';

/** A file that is open for reads at any place. */
export class DataFile {
  /** In bytes. */
  readonly size: number;
  readonly #fd: number;
  readonly #path: string;
  readonly #checks: FileChecks | undefined;

  /** @param checks of its blocks: each is compared when it is first read */
  constructor(path: string, checks?: FileChecks) {
    this.#fd = openSync(path, 'r');
    this.#path = path;
    this.#checks = checks;
    this.size = fstatSync(this.#fd).size;
    try {
      checks?.checkSize(this.size);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /**
   * Fills `bytes` from a position on.
   * @throws if the file ends before, or is damaged there
   */
  fill(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    const end = position + bytes.length;
    if (!this.#checks || this.#checks.knows(position, end)) {
      readExactly(this.#fd, bytes, position, this.#path);
      return;
    }
    this.#checks.check(position, end, (from, to) => {
      const blocks = Buffer.allocUnsafe(to - from);
      readExactly(this.#fd, blocks, from, this.#path);
      bytes.set(blocks.subarray(position - from, end - from));
      return blocks;
    });
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/**
 * Fills `bytes` from a position of an open file.
 * @throws if the file ends before
 */
export function readExactly(fd: number, bytes: Uint8Array, position: number, path: string): void {
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(fd, bytes, at, bytes.length - at, position + at);
    if (count === 0)
      throw damaged(path, `it ends at byte ${position + at}, before byte ${position + bytes.length}`);
    at += count;
  }
}
