import { type Spool, spool } from '../../documents/archive/spool.ts';
import type { ReadOptions } from '../../documents/file.ts';
import { limitBytes } from './files.ts';
import type { Source, SourceFile } from './source.ts';

type StandardInput = AsyncIterable<Uint8Array> & { isTTY?: boolean };

/** JSON Lines on standard input, as one file. */
export class StdinSource implements Source {
  readonly options: ReadOptions;
  readonly #input: StandardInput;
  readonly #limit: number | undefined;

  /** @param limit of its bytes: that of a file by default */
  constructor(options: ReadOptions = {}, input: StandardInput = process.stdin, limit?: number) {
    this.options = options;
    this.#input = input;
    this.#limit = limit;
  }

  /** @throws if standard input is a terminal */
  async *files(): AsyncGenerator<SourceFile> {
    if (this.#input.isTTY)
      throw new Error('Standard input is a terminal. Pipe JSON Lines into the command: cat docs.jsonl | …');
    let content: Promise<Spool> | undefined;
    const input = limitBytes(this.#input, 'standard input', this.#limit);
    yield {
      source: 'stdin.jsonl',
      path: 'standard input',
      open: async function* () {
        // Standard input can be read only once, but a file more often.
        content ??= spool(input);
        yield* (await content).open();
      },
    };
  }
}
