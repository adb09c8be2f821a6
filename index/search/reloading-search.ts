import { join } from 'node:path';
import type { Overview } from '../format/overview-types.ts';
import { statOf } from '../format/read-folder.ts';
import type { Answer, ClosableSearch, IndexInfo, PassageAnswer, SearchRequest } from './answer.ts';

/** An open index, and the searches that use it. */
interface Opened {
  search: ClosableSearch;
  running: number;
  /** Set when a newer index has replaced it. */
  replaced: boolean;
}

/**
 * Answers from an index folder, and opens the folder again when a build has replaced it. If the new index cannot be opened, the old
 * one goes on answering.
 */
export class ReloadingSearch implements ClosableSearch {
  readonly #open: () => Promise<ClosableSearch>;
  readonly #manifest: string;
  readonly #report: (message: string) => void;
  #current: Opened;
  /** What identified the manifest when it was last opened. */
  #seen: string;
  #opening: Promise<void> | undefined;

  private constructor(
    folder: string,
    open: () => Promise<ClosableSearch>,
    report: (message: string) => void,
    search: ClosableSearch,
    seen: string,
  ) {
    this.#manifest = manifestOf(folder);
    this.#open = open;
    this.#report = report;
    this.#current = { search, running: 0, replaced: false };
    this.#seen = seen;
  }

  /**
   * @param open opens the index in `folder`
   * @param report called with a sentence when the index was replaced, or could not be opened
   */
  static async open(
    folder: string,
    open: () => Promise<ClosableSearch>,
    report: (message: string) => void,
  ): Promise<ReloadingSearch> {
    // Read before opening: a replacement in between is then opened again.
    const seen = identify(manifestOf(folder));
    return new ReloadingSearch(folder, open, report, await open(), seen);
  }

  get info(): IndexInfo {
    return this.#current.search.info;
  }

  search(request: SearchRequest): Promise<Answer> {
    return this.#run((search) => search.search(request));
  }

  passage(id: string, context?: number): Promise<PassageAnswer | undefined> {
    return this.#run((search) => search.passage(id, context));
  }

  overview(): Promise<Overview> {
    return this.#run((search) => search.overview());
  }

  /** Runs a call on the newest index, which stays open until the call has ended. */
  async #run<Result>(call: (search: ClosableSearch) => Promise<Result>): Promise<Result> {
    await this.#refresh();
    const opened = this.#current;
    opened.running++;
    try {
      return await call(opened.search);
    } finally {
      opened.running--;
      closeIfUnused(opened);
    }
  }

  close(): void {
    this.#current.replaced = true;
    closeIfUnused(this.#current);
  }

  /** Opens the index again if its manifest has changed. */
  async #refresh(): Promise<void> {
    const now = identify(this.#manifest);
    // While a build swaps the folders, there is no manifest for a moment.
    if (now !== this.#seen && now !== '' && !this.#opening) {
      this.#seen = now;
      this.#opening = this.#reopen().finally(() => {
        this.#opening = undefined;
      });
    }
    await this.#opening;
  }

  async #reopen(): Promise<void> {
    try {
      const search = await this.#open();
      const old = this.#current;
      this.#current = { search, running: 0, replaced: false };
      old.replaced = true;
      closeIfUnused(old);
      this.#report(`The index was replaced. Searching ${search.info.passages} passages.`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#report(`The new index cannot be opened, so the old one still answers: ${reason}`);
    }
  }
}

function closeIfUnused({ search, running, replaced }: Opened): void {
  if (replaced && running === 0) search.close();
}

const manifestOf = (folder: string) => join(folder, 'manifest.json');

/** What differs between two manifests in the same place; empty without a manifest. */
function identify(path: string): string {
  const found = statOf(path);
  return found ? `${found.ino} ${found.mtimeMs} ${found.size}` : '';
}
