/**
 * Runs something that an interrupt ends at a good moment. A second interrupt exits at once. After the first, the command exits with 130.
 * @param advice what the user may do after an interrupt
 * @param run throws the reason of the signal
 */
export async function interruptible<T>(advice: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const before = process.listeners('SIGINT');
  const interrupt = () => {
    process.once('SIGINT', () => process.exit(130));
    process.once('exit', () => {
      process.exitCode = 130;
    });
    console.error('Interrupted: stopping after what runs now. Interrupt again to exit at once.');
    controller.abort(new Error(`Interrupted. ${advice}`));
  };
  process.removeAllListeners('SIGINT');
  process.once('SIGINT', interrupt);
  try {
    return await run(controller.signal);
  } finally {
    process.removeListener('SIGINT', interrupt);
    for (const listener of before) process.on('SIGINT', listener);
  }
}
