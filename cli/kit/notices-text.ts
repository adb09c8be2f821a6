import { styleText } from 'node:util';
import type { NoticeGroup } from '../../index/reading/notices.ts';

/** Names shown per reason. `--json` lists more. */
const SHOWN = { failed: 20, guessed: 5, skipped: 5 };

const HEADINGS = { failed: 'Failed', guessed: 'Guessed', skipped: 'Skipped' };

/** What was reported about files, by reason, with the names of the first ones. */
export function noticesText(groups: readonly NoticeGroup[]): string {
  return groups.map(groupText).join('\n');
}

function groupText({ kind, reason, count, places }: NoticeGroup): string {
  const heading = `${HEADINGS[kind]}, ${reason}: ${count}`;
  const styled = kind === 'failed' ? styleText('red', heading, { stream: process.stdout }) : heading;
  const fixes = new Set(places.map(({ fix }) => fix));
  // One fix for all is said once.
  const [common] = fixes.size === 1 ? fixes : [];
  const shown = places.slice(0, SHOWN[kind]);
  const lines = shown.map(({ place, fix }) => `  ${place}${common === undefined && fix ? `: ${fix}` : ''}`);
  const more = count > shown.length ? [`  … and ${count - shown.length} more`] : [];
  return [`${styled}${common ? `. ${common}` : ''}`, ...lines, ...more].join('\n');
}
