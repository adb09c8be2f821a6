import { isJustified, type Line, lineOf, mergeMarker, rowsOf, type Segment } from './lines.ts';

/** In font sizes: lines of a cell are closer. */
const MAX_STEP = 1.7;

/** The segments that follow each other in the content and are below each other, such as the lines of a cell. */
interface Run {
  segments: Segment[];
  x0: number;
  x1: number;
  top: number;
  bottom: number;
}

/**
 * The lines of a block. A row of a table whose cells have several lines is one line, because the content has all lines of a cell before
 * those of the next cell.
 */
export function linesOf(block: Segment[]): Line[] {
  return groupsOf(runsOf(rowsOf(block).flatMap(joinJustified))).flatMap((runs) => {
    if (isRowOfCells(runs)) return [rowLine(runs)];
    return rowsOf(runs.flatMap(({ segments }) => segments)).map(lineOf);
  });
}

/** Joins the words of a justified line, which are not cells. */
function joinJustified(row: Segment[]): Segment[] {
  const sorted = [...row].sort((one, other) => one.x0 - other.x0);
  const [first] = sorted;
  if (!isJustified(sorted, first!.size)) return row;
  const order = Math.min(...row.map((segment) => segment.order));
  return [{ ...first!, order, pieces: sorted.flatMap(({ pieces }) => pieces), x1: sorted.at(-1)!.x1 }];
}

function runsOf(block: Segment[]): Run[] {
  const runs: Run[] = [];
  for (const segment of [...block].sort((one, other) => one.order - other.order)) {
    const { x0, x1, y, size } = segment;
    const run = runs.at(-1);
    const step = run ? y - run.bottom : 0;
    if (run && step > 0.5 * size && step < MAX_STEP * size && x0 < run.x1 && x1 > run.x0) {
      run.segments.push(segment);
      run.bottom = y;
      run.x0 = Math.min(run.x0, x0);
      run.x1 = Math.max(run.x1, x1);
    } else runs.push({ segments: [segment], x0, x1, top: y - 0.5 * size, bottom: y });
  }
  return runs;
}

/** Groups runs that are beside each other, from top to bottom. */
function groupsOf(runs: Run[]): Run[][] {
  const groups: { runs: Run[]; bottom: number }[] = [];
  for (const run of [...runs].sort((one, other) => one.top - other.top)) {
    const group = groups.at(-1);
    if (group && run.top < group.bottom) {
      group.runs.push(run);
      group.bottom = Math.max(group.bottom, run.bottom);
    } else groups.push({ runs: [run], bottom: run.bottom });
  }
  return groups.map((group) => group.runs);
}

function isRowOfCells(runs: Run[]): boolean {
  if (runs.length < 2 || !runs.some(({ segments }) => segments.length > 1)) return false;
  const sorted = [...runs].sort((one, other) => one.x0 - other.x0);
  return sorted.every((run, i) => i === 0 || run.x0 > sorted[i - 1]!.x1);
}

function rowLine(runs: Run[]): Line {
  const sorted = [...runs].sort((one, other) => one.x0 - other.x0);
  const main = runs.reduce((best, next) => (next.segments.length > best.segments.length ? next : best));
  const cells = sorted.map(({ segments, x0, x1 }) => ({
    text: segments.map((segment) => lineOf([segment]).text).join('\n'),
    x0,
    x1,
  }));
  return {
    ...lineOf(main.segments),
    text: cells.map(({ text }) => text).join('\n'),
    cells: mergeMarker(cells, '\n'),
    x0: sorted[0]!.x0,
    x1: main.segments.at(-1)!.x1,
    y: Math.min(...runs.map(({ segments }) => segments[0]!.y)),
    bottom: Math.max(...runs.map(({ bottom }) => bottom)),
  };
}
