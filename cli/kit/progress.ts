import { SingleBar } from 'cli-progress';
import type { Progress } from '../../index/build.ts';

/** Lines where there is no terminal, at most. */
const LINES = 10;

/** Shows how far something is on standard error: a bar on a terminal, up to ten plain lines elsewhere. */
export function showProgress(what: string): Progress {
  if (!process.stderr.isTTY) {
    let shown = 0;
    return (done, total) => {
      const tenth = Math.floor((done / total) * LINES);
      if (tenth <= shown) return;
      shown = tenth;
      console.error(`${done} of ${total} ${what}`);
    };
  }
  const bar = new SingleBar({
    format: `{bar} {value}/{total} ${what}, {eta} s left`,
    stream: process.stderr,
    hideCursor: true,
  });
  return (done, total) => {
    if (!bar.isActive) {
      bar.start(total, 0);
      // Whatever ends the process meanwhile, the cursor must come back.
      process.once('exit', () => bar.stop());
    }
    bar.update(done);
    if (done === total) bar.stop();
  };
}
