import type { Overview } from '../format/overview-types.ts';
import { NO_INDEX, Unavailable } from '../store/store.ts';
import type { Answer, ClosableSearch, IndexInfo, PassageAnswer, Search, SearchRequest } from './answer.ts';
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
export interface Generations {
  /** Finds the number of the current generation; undefined if there is no index yet. */
  current(): Promise<number | undefined>;
  /** Opens a generation. It stays open while it is used, and needs no closing. */
  open(generation: number): Promise<Search>;
  /** Frees all connections. */
  close(): void;
}

export interface CurrentOptions {
  /** Seconds that a request may take. */
  timeout: number;
  /** Receives a sentence about what callers do not see: a newer generation, or that none can be found. */
  report: (message: string) => void;
}

/** An open generation. */
interface Opened {
  generation: number;
  search: Search;
}

/**
 * Answers from the current generation of an index, and looks for a newer one every 10 seconds. Requests that run finish on their generation.
 * Throws `Unavailable` while there is none.
 */
export class CurrentSearch implements ClosableSearch {
  readonly #generations: Generations;
  readonly #options: CurrentOptions;
  #opened: Opened | undefined;
  /** The look that runs, which all requests share. */
  #looking: Promise<void> | undefined;
  /** When the last look started, in milliseconds of `now()`. */
  #looked = Number.NEGATIVE_INFINITY;
  /** Whether the last look failed. */
  #failed = false;

  /** Makes no call. */
  constructor(generations: Generations, options: CurrentOptions) {
    this.#generations = generations;
    this.#options = options;
  }

  /** Of the generation that was opened last. */
  get info(): IndexInfo {
    if (!this.#opened) throw new Error('No generation is open. Call refresh() first.');
    return this.#opened.search.info;
  }

  /**
   * Looks for a newer generation if the last look was 10 seconds ago, or if none is open.
   * @returns itself, with an open generation
   * @throws if no generation can be opened
   */
  async refresh(): Promise<this> {
    const age = now() - this.#looked;
    if (!this.#looking && (!this.#opened || age >= INTERVAL)) {
      this.#looked = now();
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined;
      });
    }
    if (!this.#opened) await this.#looking;
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

  close(): void {
    this.#generations.close();
  }

  async #run<Result>(call: (search: Search) => Promise<Result>): Promise<Result> {
    const seconds = Math.max(1, this.#options.timeout - RESERVED);
    const end = now() + 1000 * seconds;
    return before(
      end,
      this.refresh().then(() => call(this.#opened!.search)),
      () => {
        throw new Unavailable(`The index did not answer within ${seconds} s. Try again.`);
      },
    );
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
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#failed)
        this.#options.report(
          `No newer index can be opened, so generation ${this.#opened.generation} still answers: ${reason}`,
        );
      this.#failed = true;
    }
  }

  async #open(generation: number): Promise<void> {
    const search = await this.#generations.open(generation);
    if (this.#opened)
      this.#options.report(`The index was replaced. Searching ${search.info.passages} passages.`);
    this.#opened = { generation, search };
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
