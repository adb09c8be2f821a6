/** Runs tasks, at most a number of them at once. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param most tasks that run at once */
  constructor(most: number) {
    this.#free = most;
  }

  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((start) => this.#waiting.push(start));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
