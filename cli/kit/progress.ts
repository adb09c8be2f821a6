import { SingleBar } from 'cli-progress';
import type { BuildProgress, Progress } from '../../index/read-passages.ts';

/** Maximum number of lines of a phase without a terminal. */
const MAX_LINES = 10;

/** What a build does in each phase, to the things that it counts. */
const DOING: Record<BuildProgress['phase'], string> = {
  reading: 'read',
  embedding: 'embedded',
  writing: 'written',
};

/** Shows progress on standard error: a bar on a terminal, otherwise up to ten lines. `unit` is the end of a line. */
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
    format: `{bar} {value}/{total} ${unit}, {eta_formatted} left`,
    stream: process.stderr,
    hideCursor: true,
    etaBuffer: 1000,
  });
  return (done, total) => {
    if (!bar.isActive) {
      bar.start(total, 0);
      // However the process ends, the cursor must reappear.
      process.once('exit', () => bar.stop());
    }
    bar.setTotal(total);
    bar.update(done);
    if (done === total) bar.stop();
  };
}

/** Shows the progress of a build on standard error, phase by phase. */
export function showBuildProgress(): Progress {
  const shown = new Map<string, (done: number, total: number) => void>();
  return ({ phase, unit, done, total }) => {
    if (!total) return;
    const doing = unit === 'documents' ? 'cut into passages' : DOING[phase];
    const show = shown.get(doing) ?? showProgress(`${unit} ${doing}`);
    shown.set(doing, show);
    show(done, total);
  };
}
