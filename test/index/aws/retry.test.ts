import { expect, test } from 'vitest';
import { retried } from '../../../index/aws/retry.ts';

const named = (name: string) => Object.assign(new Error(name), { name });
const pauses = [1, 1, 1];

/** Fails with each of these errors first. */
function failing(...errors: Error[]) {
  const state = { runs: 0 };
  const run = async () => {
    const error = errors[state.runs++];
    if (error) throw error;
    return 'done';
  };
  return { state, run };
}

test('repeats what fails for reasons that pass, also behind a described error', async () => {
  const described = new Error('s3:GetObject was throttled.', { cause: named('SlowDown') });
  const cut = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
  const { run, state } = failing(named('ThrottlingException'), described, cut);
  expect(await retried(run, { pauses })).toBe('done');
  expect(state.runs).toBe(4);
});

test('ends with the last failure, and at once with others', async () => {
  const throttled = failing(...Array.from({ length: 9 }, () => named('SlowDown')));
  await expect(retried(throttled.run, { pauses })).rejects.toThrow('SlowDown');
  expect(throttled.state.runs).toBe(4);
  const denied = failing(named('AccessDenied'));
  await expect(retried(denied.run, { pauses })).rejects.toThrow('AccessDenied');
  expect(denied.state.runs).toBe(1);
});

test('ends with the reason of a signal, during a call or a pause', async () => {
  const controller = new AbortController();
  const waiting = retried(failing(named('SlowDown')).run, { pauses: [60_000], signal: controller.signal });
  setTimeout(() => controller.abort(new Error('Interrupted.')), 5);
  await expect(waiting).rejects.toThrow();
  await expect(
    retried(failing(named('SlowDown')).run, { pauses, signal: controller.signal }),
  ).rejects.toThrow('Interrupted.');
});
