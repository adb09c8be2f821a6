/**
 * Runs tasks, several at once, and starts them in order. No task starts before all but the last `most` have ended. After a failure or
 * the end of `signal` it starts no other, and waits for those that run.
 * @throws the first failure, or the reason of `signal`
 */
export async function inParallel(
  tasks: Iterable<() => Promise<void>>,
  most: number,
  signal?: AbortSignal,
): Promise<void> {
  const running: Promise<void>[] = [];
  let failure: { error: unknown } | undefined;
  for (const task of tasks) {
    running.push(
      task().catch((error: unknown) => {
        failure ??= { error };
      }),
    );
    if (running.length === most) await running.shift();
    if (failure || signal?.aborted) break;
  }
  await Promise.all(running);
  if (failure) throw failure.error;
  signal?.throwIfAborted();
}
