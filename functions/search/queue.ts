import type { App, HttpRequest, HttpResponse } from './http.ts';
import { Problem, problemHeaders, problemJson } from './problems.ts';

/** Requests that may wait. An answer takes milliseconds, so the last one waits for about a second. */
const MOST_WAITING = 256;
const RETRY_AFTER_SECONDS = 1;
/** Rounds of the event loop between two requests. In each, Node accepts one connection. */
const ROUNDS = 16;

/**
 * Starts one request at a time, as a search uses the processor alone. A server that gets more than it can answer refuses the rest at once:
 * in an endless line, no caller would get an answer in time.
 */
export function withQueue(app: App, most = MOST_WAITING): App {
  const waiting: (() => void)[] = [];
  let isRunning = false;
  const startNext = () => {
    waiting.shift()?.();
    afterRounds(ROUNDS, () => {
      isRunning = waiting.length > 0;
      if (isRunning) startNext();
    });
  };
  return (request) => {
    if (waiting.length >= most) return Promise.resolve(refusal(request));
    return new Promise((resolve) => {
      waiting.push(() => resolve(app(request)));
      if (isRunning) return;
      isRunning = true;
      setImmediate(startNext);
    });
  };
}

/** Lets the server receive requests first, so that it can refuse those that are too many. */
function afterRounds(rounds: number, next: () => void): void {
  setImmediate(() => (rounds > 1 ? afterRounds(rounds - 1, next) : next()));
}

function refusal({ requestId }: HttpRequest): HttpResponse {
  const headers = {
    ...problemHeaders,
    'retry-after': String(RETRY_AFTER_SECONDS),
    'x-request-id': requestId,
  };
  const problem = new Problem(503, 'Too many questions wait for an answer. Try again in a second.');
  return { status: problem.status, headers, body: problemJson(problem, requestId) };
}
