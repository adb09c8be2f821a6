import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createAsker, isLongEnough, type SearchState } from '../../../../functions/web/browser/ask.ts';
import type { Endpoint } from '../../../../functions/web/browser/endpoint.ts';

/** A request that the test answers. */
interface Sent {
  path: string;
  signal: AbortSignal;
  answer(value: unknown): void;
  fail(error: Error): void;
}

function setUp() {
  const sent: Sent[] = [];
  const states: SearchState[] = [];
  const endpoint: Pick<Endpoint, 'get'> = {
    get: <T>(path: string, signal?: AbortSignal) =>
      new Promise<T>((resolve, reject) => {
        sent.push({ path, signal: signal!, answer: (value) => resolve(value as T), fail: reject });
      }),
  };
  const asker = createAsker(endpoint, (state) => states.push(state));
  const kinds = () => states.map(({ kind }) => kind);
  return { asker, sent, states, kinds };
}

const flush = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('createAsker', () => {
  test('searches at once, and reports a slow search', async () => {
    const { asker, sent, states, kinds } = setUp();
    asker.ask('q=a');
    expect(sent.map(({ path }) => path)).toEqual(['search?q=a&matches=true']);
    expect(kinds()).toEqual(['searching']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(kinds()).toEqual(['searching', 'slow']);
    sent[0]!.answer({ q: 'a' });
    await flush();
    expect(states.at(-1)).toEqual({ kind: 'answer', answer: { q: 'a' } });
  });

  test('searches once for several letters', async () => {
    const { asker, sent, kinds } = setUp();
    for (const q of ['pas', 'pass', 'passp']) {
      asker.askSoon(`q=${q}`);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    expect(sent.map(({ path }) => path)).toEqual(['search?q=passp&matches=true']);
    expect(kinds()).toEqual(['waiting', 'waiting', 'waiting', 'searching']);
  });

  test('cancels the request of an earlier question, and reports neither its answer nor its failure', async () => {
    const { asker, sent, states } = setUp();
    asker.ask('q=first');
    asker.ask('q=second');
    asker.askSoon('q=third');
    expect(sent.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    await vi.advanceTimersByTimeAsync(200);
    sent[2]!.answer({ q: 'third' });
    await flush();
    sent[0]!.answer({ q: 'first' });
    sent[1]!.fail(new Error('late'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(states.filter(({ kind }) => kind === 'answer' || kind === 'error')).toEqual([
      { kind: 'answer', answer: { q: 'third' } },
    ]);
    expect(states.at(-1)!.kind).toBe('answer');
  });

  test('stops', async () => {
    const { asker, sent, kinds } = setUp();
    asker.ask('q=a');
    asker.stop();
    sent[0]!.answer({});
    asker.askSoon('q=b');
    asker.stop();
    await vi.advanceTimersByTimeAsync(1000);
    expect(kinds()).toEqual(['searching', 'idle', 'waiting', 'idle']);
    expect(sent.length).toBe(1);
  });

  test('reports a failure, and asks again for the same question', async () => {
    const { asker, sent, states } = setUp();
    asker.ask('q=a');
    const error = new Error('no');
    sent[0]!.fail(error);
    await flush();
    expect(states.at(-1)).toEqual({ kind: 'error', error });
    asker.ask('q=a');
    expect(sent.length).toBe(2);
  });

  test('reports known answers at once, and forgets the oldest', async () => {
    const { asker, sent, states } = setUp();
    for (let i = 0; i <= 50; i++) {
      asker.ask(`q=${i}`);
      sent[i]!.answer({ q: i });
      await flush();
    }
    asker.askSoon('q=1');
    expect(states.at(-1)).toMatchObject({ kind: 'answer', answer: { q: 1 } });
    expect(sent.length).toBe(51);
    asker.ask('q=0');
    expect(sent.length).toBe(52);
  });
});

test.each([
  ['', false],
  ['ab', false],
  ['ab ', false],
  ['abc', true],
  ['🗼🗼', false],
  ['休', false],
  ['休假', true],
  ['ひる', true],
  ['휴가', true],
  ['حق', false],
])('isLongEnough(%j) is %j', (text, expected) => {
  expect(isLongEnough(text)).toBe(expected);
});
