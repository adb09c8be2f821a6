import { SingleBar } from 'cli-progress';
import type { BuildProgress, Progress } from '../../index/ingest/read-passages.ts';

/** Maximum number of lines of a phase without a terminal. */
const MAX_LINES = 10;
/** Milliseconds of a phase in which nothing is shown. */
const QUICK = 1000;
/** Characters of a bar. The text beside it must fit into 80 columns. */
const BAR_SIZE = 20;

/** What a build does in each phase, to the things that it counts. */
const DOING: Record<BuildProgress['phase'], string> = {
  reading: 'read',
  embedding: 'embedded',
  writing: 'written',
};

/** Returns a function that describes progress. `unit` is what is counted, and what happened to it. `now` returns milliseconds. */
export function progressText(
  unit: string,
  now: () => number = () => performance.now(),
): (done: number, total: number) => string {
  let first: { done: number; at: number } | undefined;
  return (done, total) => {
    first ??= { done, at: now() };
    const [since, elapsed] = [done - first.done, now() - first.at];
    const left = since > 0 && done < total ? `, ${clock((elapsed / since) * (total - done))} left` : '';
    return `${done} of ${total} ${unit} in ${clock(elapsed)}${left}`;
  };
}

/** Milliseconds as text, such as `1:05` or `1:00:05`. */
function clock(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (number: number) => String(number).padStart(2, '0');
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}

/**
 * Shows progress on standard error, after a second: a bar or up to ten lines.
 * @param unit as in `progressText`
 */
function showProgress(unit: string, isBar: boolean): (done: number, total: number) => void {
  const textOf = progressText(unit);
  const start = performance.now();
  const bar = new SingleBar({
    format: '{bar} {text}',
    barsize: BAR_SIZE,
    stream: process.stderr,
    hideCursor: true,
  });
  let shown = 0;
  return (done, total) => {
    const text = textOf(done, total);
    if (performance.now() - start < QUICK) return;
    if (!isBar) {
      const tenth = Math.floor((done / total) * MAX_LINES);
      if (tenth > shown) console.error(text);
      shown = Math.max(shown, tenth);
      return;
    }
    if (!bar.isActive) {
      bar.start(total, 0, { text });
      // However the process ends, the cursor must reappear.
      process.once('exit', () => bar.stop());
    }
    bar.setTotal(total);
    bar.update(done, { text });
    if (done === total) bar.stop();
  };
}

/**
 * Shows progress on standard error, with a bar or lines of its own for each unit.
 * @param isBar whether to show bars, which nothing else may write between
 */
export function showEach(isBar = process.stderr.isTTY): (unit: string, done: number, total: number) => void {
  const shown = new Map<string, ReturnType<typeof showProgress>>();
  return (unit, done, total) => {
    const show = shown.get(unit) ?? showProgress(unit, isBar);
    shown.set(unit, show);
    show(done, total);
  };
}

/** Shows the progress of a build on standard error, phase by phase. */
export function showBuildProgress(isBar?: boolean): Progress {
  const show = showEach(isBar);
  return ({ phase, unit, done, total }) => {
    const doing = unit === 'documents' ? 'cut into passages' : DOING[phase];
    if (total) show(`${unit} ${doing}`, done, total);
  };
}
