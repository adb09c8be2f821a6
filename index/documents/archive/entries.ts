import type { Document } from '../document.ts';
import type { InputFile } from '../file.ts';
import type { Input } from '../input.ts';
import { entryName } from './names.ts';

/** An archive may be in this many others. A `.tar.gz` is a tar file in a gz file. */
const MAX_ARCHIVES = 3;

/**
 * Checks that an archive, or another file that contains files, is not in too many others.
 * @throws Unreadable if it is
 */
export function checkDepth(input: Input): void {
  if (input.depth > MAX_ARCHIVES)
    throw input.failure('nested too deep', `Extract it: it is in more than ${MAX_ARCHIVES} other archives.`);
}

/** Reads the entries of an archive by their own formats. */
export class Entries {
  readonly #input: Input;
  readonly #names = new Set<string>();

  /** @throws Unreadable if the archive is in too many others */
  constructor(input: Input) {
    checkDepth(input);
    this.#input = input;
  }

  /**
   * Reads an entry. Hidden ones are left out, as in a folder. Unsafe names and names that the archive contains already are reported.
   * @throws Unreadable if the archive exceeds the limits
   */
  async *read(
    raw: string,
    file: Pick<InputFile, 'open' | 'url' | 'extension' | 'charset'>,
  ): AsyncGenerator<Document> {
    const { source, path, inflation } = this.#input;
    inflation.addEntry(path);
    const entry = entryName(raw);
    if (entry.kind === 'hidden') return;
    if (entry.kind === 'unsafe') {
      this.#skip(JSON.stringify(raw.slice(0, 100)), 'unsafe name', 'Rename it in the archive.');
      return;
    }
    const { name } = entry;
    if (this.#names.has(name)) {
      this.#skip(name, 'duplicate name', 'Only the first file of this name is read. Rename the others.');
      return;
    }
    this.#names.add(name);
    yield* this.#input.nested({ ...file, source: `${source}/${name}`, path: `${path}/${name}` });
  }

  /** @throws Unreadable if no entry could be offered for reading */
  finish(): void {
    if (this.#names.size === 0) throw this.#input.failure('no text', 'It contains no files. Remove it.');
  }

  #skip(name: string, reason: string, fix: string): void {
    this.#input.report({ kind: 'skipped', place: `${this.#input.path}/${name}`, reason, fix });
  }
}
