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
    const [heading = '', ...names] = linesOf(group, Math.min(SHOWN[group.kind], free));
    isComplete &&= names.length === group.count;
    lines.push(heading, ...names);
  }
  const rest = groups.length - shown.length;
  const more = rest > 0 ? counted(rest, 'more reason') : 'more';
  if (!isComplete) lines.push(`… and ${more}. --json lists up to 1,000 files per reason.`);
  return lines.join('\n');
}

/** The heading of a group, and up to `most` names of its files. A fix that is the same for all is in the heading. */
function linesOf({ kind, reason, count, places }: NoticeGroup, most: number): string[] {
  const heading = `${HEADINGS[kind]}, ${reason}: ${count}`;
  const styled = kind === 'failed' ? styleText('red', heading, { stream: process.stdout }) : heading;
  const fixes = new Set(places.map(({ fix }) => fix));
  const [common] = fixes.size === 1 ? fixes : [];
  const names = places
    .slice(0, most)
    .map(({ place, fix }) => `  ${place}${!common && fix ? `: ${fix}` : ''}`);
  return [common ? `${styled}. ${common}` : styled, ...names];
}
