/** A headline number, compared with a goal and with earlier runs. */
export interface Figure {
  name: string;
  value: number;
  /**
   * `ratio` is polyseek's time or memory divided by another's in the same run (lower is better). `times` is polyseek's rate divided by
   * another's (higher is better). `recall` is from 0 to 1. `ms` and `count` are not compared with earlier runs.
   */
  unit: 'ratio' | 'times' | 'bytes' | 'recall' | 'ms' | 'millions' | 'count';
  /** The maximum, or for `times` and `recall` the minimum. */
  goal?: number;
}

/** A figure of two runs. */
interface Comparison {
  name: string;
  before: string;
  now: string;
  /** How much worse it is now: worse if above 1. */
  change: number;
  isWorse: boolean;
}

/** Changes above this factor are reported as worse. Smaller ones are noise. */
const WORSE = 1.1;

/** Units of figures that are not compared with earlier runs: times depend on the machine, and counts of errors have goals. */
const ALONE: readonly Figure['unit'][] = ['ms', 'count'];

const isMore = ({ unit }: Figure) => unit === 'times' || unit === 'recall';

/** Whether a figure reaches its goal; undefined without one. */
export function reachesGoal(figure: Figure): boolean | undefined {
  const { value, goal } = figure;
  if (goal === undefined) return undefined;
  return isMore(figure) ? value >= goal : value <= goal;
}

/** `1/11.3`, `1.26`, `2.1 KB` … */
export function shown(value: number, unit: Figure['unit']): string {
  switch (unit) {
    case 'ratio':
      return value < 0.5 ? `1/${trimmed(1 / value, 1)}` : trimmed(value, 2);
    case 'times':
      return `${trimmed(value, 2)}x`;
    case 'bytes':
      return `${(value / 1000).toFixed(2)} KB`;
    case 'recall':
      return value.toFixed(3);
    case 'millions':
      return `${value.toFixed(1)} million`;
    case 'ms':
      return `${trimmed(value, 2)} ms`;
    case 'count':
      return String(value);
  }
}

/** Formats a figure's goal. Empty without a goal. */
export function shownGoal(figure: Figure): string {
  if (figure.goal === undefined) return '';
  return `${isMore(figure) ? '>=' : '<='} ${shown(figure.goal, figure.unit)}`;
}

/** Returns the figures of both runs that do not depend on the machine, in the order of the later run. */
export function compareFigures(before: readonly Figure[], now: readonly Figure[]): Comparison[] {
  const earlier = new Map(before.map((figure) => [figure.name, figure]));
  return now.flatMap((figure) => {
    const was = earlier.get(figure.name);
    if (!was || was.unit !== figure.unit || ALONE.includes(figure.unit)) return [];
    const change = changeOf(was, figure);
    return {
      name: figure.name,
      before: shown(was.value, was.unit),
      now: shown(figure.value, figure.unit),
      change,
      isWorse: change > WORSE,
    };
  });
}

/** Recall is compared by its misses: .98 is twice as bad as .99. Adding .01 to both keeps differences of .001 within noise. */
function changeOf(was: Figure, now: Figure): number {
  if (now.unit === 'recall') return (1 - now.value + 0.01) / (1 - was.value + 0.01);
  return isMore(now) ? was.value / now.value : now.value / was.value;
}

function trimmed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.?0+$/, '');
}
