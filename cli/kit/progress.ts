import { SingleBar } from 'cli-progress';
import type { Progress } from '../../index/read-passages.ts';

/** Maximum number of lines without a terminal. */
const MAX_LINES = 10;

/** Shows progress on standard error: a bar on a terminal, otherwise up to ten lines. */
export function showProgress(unit: string): (done: number, total: number) => void {
  if (!process.stderr.isTTY) {
    let shown = 0;
    return (done, total) => {
      const tenth = Math.floor((done / total) * MAX_LINES);
      if (tenth <= shown) return;
      shown = tenth;
      console.error(`${done} of ${total} ${unit}`);
    };
  }
  const bar = new SingleBar({
    format: `{bar} {value}/{total} ${unit}, {eta} s left`,
    stream: process.stderr,
    hideCursor: true,
  });
  return (done, total) => {
    if (!bar.isActive) {
      bar.start(total, 0);
      // However the process ends, the cursor must reappear.
      process.once('exit', () => bar.stop());
    }
    bar.update(done);
    if (done === total) bar.stop();
  };
}

/** Shows the progress of embedding on standard error. */
export function showBuildProgress(): Progress {
  const show = showProgress('passages');
  return ({ phase, done, total }) => {
    if (phase === 'embedding' && total !== undefined) show(done, total);
  };
}
