import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Overview } from '../format/overview-types.ts';
import { messageOf } from '../kit/errors.ts';
import { NO_INDEX, Unavailable } from '../store/store.ts';
import type {
  Answer,
  ClosableSearch,
  DocumentList,
  DocumentPart,
  IndexInfo,
  PassageAnswer,
  Search,
  SearchRequest,
} from './answer.ts';
import { now } from './clock.ts';

/** Milliseconds between two looks for a newer generation. */
const INTERVAL = 10_000;
/** Seconds that a request may take unless a function's timeout says otherwise. API Gateway waits 30 seconds. */
export const TIMEOUT = 29;
/** Seconds of a request's time that are left for the answer. */
const RESERVED = 1;
/** Milliseconds that a request waits for a look, if it can use an older generation. */
const PATIENCE = 1000;

/** The generations of an index outside of this process, one of which is current. */
interface Generations<Id> {
  /** Identifies the current generation; undefined if there is no index yet. */
  current(): Promise<Id | undefined>;
  /** Opens a generation. It is closed after its last call, once another one has replaced it. */
  open(generation: Id): Promise<ClosableSearch>;
  /** Frees all connections. */
  close(): void;
}

interface CurrentOptions {
  /** Seconds that a request may take, if looks need the network. Requests then look every 10 seconds; otherwise, each one does. */
  timeout?: number;
  /** Receives a sentence about what callers do not see: a newer generation, or that none can be found. */
  report: (message: string) => void;
}

/** An open generation, and the calls that use it. */
interface Opened<Id> {
  generation: Id;
  search: ClosableSearch;
  running: number;
  isReplaced: boolean;
}

/**
 * Answers from the current generation of an index, and looks for newer ones. Calls that run finish on their generation. If a newer one
 * cannot be opened, the old one goes on answering. Throws `Unavailable` while there is none.
 */
export class CurrentSearch<Id> implements ClosableSearch {
  readonly #generations: Generations<Id>;
  readonly #timeout: number | undefined;
  readonly #report: (message: string) => void;
  #opened: Opened<Id> | undefined;
  /** The look that runs, which all requests share. */
  #looking: Promise<void> | undefined;
  /** When the last look started, in milliseconds of `now()`. */
  #looked = Number.NEGATIVE_INFINITY;
  /** Whether the last look failed. */
  #failed = false;

  /** Makes no call. */
  constructor(generations: Generations<Id>, { timeout, report }: CurrentOptions) {
    this.#generations = generations;
    this.#timeout = timeout;
    this.#report = report;
  }

  /** Of the generation that was opened last. */
  get info(): IndexInfo {
    if (!this.#opened) throw new Error('No generation is open. Call refresh() first.');
    return this.#opened.search.info;
  }

  /**
   * Looks for a newer generation if it is time, or if none is open.
   * @returns itself, with an open generation
   * @throws if no generation can be opened
   */
  async refresh(): Promise<this> {
    const interval = this.#timeout === undefined ? 0 : INTERVAL;
    if (!this.#looking && (!this.#opened || now() - this.#looked >= interval)) {
      this.#looked = now();
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined;
      });
    }
    if (!this.#opened || this.#timeout === undefined) await this.#looking;
    else if (this.#looking) await before(this.#looked + PATIENCE, this.#looking, () => {});
    return this;
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

  documents(folder: string | undefined, from: number): Promise<DocumentList> {
    return this.#run((search) => search.documents(folder, from));
  }

  document(source: string, from: number): Promise<DocumentPart | undefined> {
    return this.#run((search) => search.document(source, from));
  }

  async for(groups: readonly string[]): Promise<Search> {
    const run = <Result>(call: (search: Search) => Promise<Result>) =>
      this.#run(async (search) => call(await search.for(groups)));
    const { info } = await this.#run((search) => search.for(groups));
    return {
      info,
      search: (request) => run((search) => search.search(request)),
      passage: (id, context) => run((search) => search.passage(id, context)),
      overview: () => run((search) => search.overview()),
      documents: (folder, from) => run((search) => search.documents(folder, from)),
      document: (source, from) => run((search) => search.document(source, from)),
      for: (further) => this.for(further),
    };
  }

  close(): void {
    this.#replace(undefined);
    this.#generations.close();
  }

  #run<Result>(call: (search: Search) => Promise<Result>): Promise<Result> {
    if (this.#timeout === undefined) return this.#runOnNewest(call);
    const seconds = Math.max(1, this.#timeout - RESERVED);
    return before(now() + 1000 * seconds, this.#runOnNewest(call), () => {
      throw new Unavailable(`The index did not answer within ${seconds} s. Try again.`);
    });
  }

  /** Runs a call on the newest generation, which stays open until the call has ended. */
  async #runOnNewest<Result>(call: (search: Search) => Promise<Result>): Promise<Result> {
    await this.refresh();
    const opened = this.#opened!;
    opened.running++;
    try {
      return await call(opened.search);
    } finally {
      opened.running--;
      closeIfUnused(opened);
    }
  }

  /** Opens the current generation, unless it is open. Throws only if there is no other. */
  async #look(): Promise<void> {
    try {
      const generation = await this.#generations.current();
      if (generation === undefined) throw new Unavailable(NO_INDEX);
      if (generation !== this.#opened?.generation) await this.#open(generation);
      this.#failed = false;
    } catch (error) {
      if (!this.#opened) throw error;
      if (!this.#failed)
        this.#report(`No newer index can be opened, so the old one still answers: ${messageOf(error)}`);
      this.#failed = true;
    }
  }

  async #open(generation: Id): Promise<void> {
    const search = await this.#generations.open(generation);
    if (this.#opened) this.#report(`The index was replaced. Searching ${search.info.passages} passages.`);
    this.#replace({ generation, search, running: 0, isReplaced: false });
  }

  #replace(next: Opened<Id> | undefined): void {
    const old = this.#opened;
    this.#opened = next;
    if (!old) return;
    old.isReplaced = true;
    closeIfUnused(old);
  }
}

function closeIfUnused<Id>({ search, running, isReplaced }: Opened<Id>): void {
  if (isReplaced && running === 0) search.close();
}

/**
 * The generations of an index in a folder, which builds replace.
 * @param open opens the index in the folder
 */
export function folderGenerations(folder: string, open: () => Promise<ClosableSearch>): Generations<string> {
  let opened = '';
  let failed: string | undefined;
  return {
    async current() {
      // While a build swaps the folders, there is no manifest for a moment.
      const found = identify(join(folder, 'manifest.json')) ?? opened;
      return found === failed ? opened : found;
    },
    async open(generation) {
      try {
        const search = await open();
        opened = generation;
        return search;
      } catch (error) {
        failed = generation;
        throw error;
      }
    },
    close() {},
  };
}

/** What differs between two files in the same place; undefined without a file. */
function identify(path: string): string | undefined {
  try {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true });
    return `${ino} ${mtimeNs} ${size}`;
  } catch {
    // There is nothing, or its folder is a file.
    return undefined;
  }
}

/** The result of a promise, or else what `late` returns at a time of `now()`. */
async function before<Result, Late>(
  end: number,
  running: Promise<Result>,
  late: () => Late,
): Promise<Result | Late> {
  let timer: NodeJS.Timeout | undefined;
  const waiting = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, end - now()));
  });
  try {
    return await Promise.race([running, waiting.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}
