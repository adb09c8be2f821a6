import { createInterface } from 'node:readline/promises';

/** Asks the person at the terminal. Without one, each question fails with the sentence that says what to do instead. */
export class Questions {
  /** Whether somebody can answer. */
  readonly isPossible: boolean;

  /** @param isAllowed false for `--no-input` */
  constructor(isAllowed: boolean) {
    this.isPossible = isAllowed && process.stdin.isTTY === true && process.stderr.isTTY === true;
  }

  /**
   * Asks for a text.
   * @param instead the error's message if nobody can be asked
   * @param fallback the answer to an empty line
   */
  async ask(question: string, instead: string, fallback?: string): Promise<string> {
    if (!this.isPossible) throw new Error(instead);
    const shown = fallback === undefined ? `${question} ` : `${question} [${fallback}] `;
    for (;;) {
      const answer = (await readAnswer(shown)).trim() || fallback;
      if (answer) return answer;
    }
  }

  /**
   * Asks for consent.
   * @param usual the answer to an empty line
   * @param instead the error's message if nobody can be asked, or the answer is no
   */
  async confirm(question: string, instead: string, usual: 'y' | 'n' = 'y'): Promise<void> {
    const answer = await this.ask(`${question} (y/n)`, instead, usual);
    if (!/^y(es)?$/i.test(answer)) throw new Error(instead);
  }
}

/** Reads a line from the terminal. Ctrl-C and Ctrl-D exit like an interrupt. */
async function readAnswer(shown: string): Promise<string> {
  // Standard output is for results.
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const interrupted = () => {
    console.error();
    process.exit(130);
  };
  lines.once('SIGINT', interrupted).once('close', interrupted);
  const answer = await lines.question(shown);
  lines.removeListener('close', interrupted).close();
  return answer;
}
