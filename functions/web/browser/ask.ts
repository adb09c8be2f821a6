import type { Answer } from '../../../index/search/answer.ts';
import type { Endpoint } from './endpoint.ts';

/** Milliseconds without typing after which a search starts. */
const TYPING_PAUSE = 200;
/** Milliseconds after which a search counts as slow. Only cold starts and repeated requests take this long. */
const SLOW = 500;
/** Answers to keep, for Back and for a question that is typed again. */
const KEPT = 50;

/** `waiting`: the person is typing, so shown results are outdated. `searching`, `slow`: a request is under way. */
export type SearchState =
  | { kind: 'idle' | 'waiting' | 'searching' | 'slow' }
  | { kind: 'answer'; answer: Answer }
  | { kind: 'error'; error: unknown };

/** Searches as you type, and reports each state. Each call replaces the earlier ones, whose answers are never reported. */
export function createAsker(endpoint: Pick<Endpoint, 'get'>, report: (state: SearchState) => void) {
  const answers = new Map<string, Answer>();
  let current = new AbortController();

  /** Makes all earlier calls void. */
  function replace(): AbortSignal {
    current.abort();
    current = new AbortController();
    return current.signal;
  }

  /** Requests an answer, and keeps it. */
  async function request(query: string, signal: AbortSignal): Promise<Answer> {
    const answer = await endpoint.get<Answer>(`search?${query}&matches=true`, signal);
    answers.set(query, answer);
    if (answers.size > KEPT) answers.delete(answers.keys().next().value!);
    return answer;
  }

  async function search(query: string, signal: AbortSignal): Promise<void> {
    report({ kind: 'searching' });
    const slow = setTimeout(() => report({ kind: 'slow' }), SLOW);
    signal.addEventListener('abort', () => clearTimeout(slow));
    try {
      // A known answer is reported at once.
      const answer = answers.get(query) ?? (await request(query, signal));
      if (!signal.aborted) report({ kind: 'answer', answer });
    } catch (error) {
      if (!signal.aborted) report({ kind: 'error', error });
    } finally {
      clearTimeout(slow);
    }
  }

  /** The answer to a query, without a report. Rejects as the endpoint does. */
  async function answerTo(query: string, signal: AbortSignal): Promise<Answer> {
    return answers.get(query) ?? request(query, signal);
  }

  /** Searches now. The query is that of `GET /search`, such as `q=x&lang=en`. */
  function ask(query: string): void {
    void search(query, replace());
  }

  /** Searches once the person stops typing. */
  function askSoon(query: string): void {
    if (answers.has(query)) {
      ask(query);
      return;
    }
    const signal = replace();
    report({ kind: 'waiting' });
    const timer = setTimeout(() => void search(query, signal), TYPING_PAUSE);
    signal.addEventListener('abort', () => clearTimeout(timer));
  }

  function stop(): void {
    replace();
    report({ kind: 'idle' });
  }

  return { ask, askSoon, answerTo, stop };
}

/** Whether a text is long enough to search while it is being typed: 3 characters, or 2 in scripts that write words with few. */
export function isLongEnough(text: string): boolean {
  const least = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u.test(text) ? 2 : 3;
  return [...text.trim()].length >= least;
}
