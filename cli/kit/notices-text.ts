import { styleText } from 'node:util';
import type { NoticeGroup } from '../../index/ingest/reading/notices.ts';
import { counted } from './command.ts';

/** Lines of a report, without the one that says how to see more. */
const MAX_LINES = 20;
/** Reasons shown, and names shown per reason. */
const MAX_REASONS = 10;
const SHOWN = { failed: 10, guessed: 5, skipped: 5 };

const HEADINGS = { failed: 'Failed', guessed: 'Guessed', skipped: 'Skipped' };

/** What was reported about files, by reason, with the names of the first ones: at most 21 lines. */
export function noticesText(groups: readonly NoticeGroup[]): string {
  const shown = groups.slice(0, MAX_REASONS);
  const lines: string[] = [];
  let isComplete = shown.length === groups.length;
  for (const [i, group] of shown.entries()) {
    // Each later reason needs a line.
    const free = MAX_LINES - lines.length - (shown.length - i);
    const names = namesOf(group, Math.min(SHOWN[group.kind], free));
    isComplete &&= names.length === group.count;
    lines.push(headingOf(group), ...names);
  }
  const rest = groups.length - shown.length;
  const more = rest > 0 ? counted(rest, 'more reason') : 'more';
  if (!isComplete) lines.push(`… and ${more}. --json lists up to 1,000 files per reason.`);
  return lines.join('\n');
}

function headingOf({ kind, reason, count, places }: NoticeGroup): string {
  const heading = `${HEADINGS[kind]}, ${reason}: ${count}`;
  const styled = kind === 'failed' ? styleText('red', heading, { stream: process.stdout }) : heading;
  const fix = commonFix(places);
  return `${styled}${fix ? `. ${fix}` : ''}`;
}

function namesOf({ places }: NoticeGroup, most: number): string[] {
  const isSaid = commonFix(places) !== undefined;
  return places.slice(0, most).map(({ place, fix }) => `  ${place}${!isSaid && fix ? `: ${fix}` : ''}`);
}

/** The fix of all places, which is said once. */
function commonFix(places: NoticeGroup['places']): string | undefined {
  const fixes = new Set(places.map(({ fix }) => fix));
  return fixes.size === 1 ? [...fixes][0] : undefined;
}
