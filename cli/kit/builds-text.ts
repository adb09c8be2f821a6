import type { BuildRecord } from '../../functions/builder/builds.ts';
import { noticesText } from './notices-text.ts';

const COLUMNS = ['started (UTC)', 'took', 'status', 'cause', 'documents', 'passages', 'embedded', 'live'];

/** A table of builds for people, and why some failed. */
export function buildTable(records: readonly BuildRecord[]): string {
  if (records.length === 0)
    return 'No builds yet. Put documents into the bucket, or run npx polyseek remote build.';
  const number = (value: number | undefined) => (value === undefined ? '' : String(value));
  const table = [
    COLUMNS,
    ...records.map((record) => [
      timeOf(record),
      durationOf(record),
      record.status,
      record.cause,
      number(record.documents),
      number(record.passages),
      number(record.embedded),
      record.live ?? '',
    ]),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
  const failed = records.filter(({ status }) => status === 'failed');
  const reasons = failed.map((record) => `${timeOf(record)} failed: ${record.reason}`);
  return [...lines, ...(reasons.length > 0 ? ['', ...reasons] : [])].join('\n');
}

/** The result of a build that did not fail. */
export function describeBuild(record: BuildRecord): string {
  const { id, reason, documents, passages, embedded, notices } = record;
  const counts = [
    [documents, 'documents'],
    [passages, 'passages'],
    [embedded, 'passages embedded'],
  ]
    .filter(([number]) => number !== undefined)
    .map(([number, what]) => `${number} ${what}`);
  return [
    `Build ${id} took ${durationOf(record)}${counts.length > 0 ? `: ${counts.join(', ')}` : ''}.`,
    ...(reason ? [reason] : []),
    ...(notices.length > 0 ? [noticesText(notices)] : []),
  ].join('\n');
}

const timeOf = ({ started }: BuildRecord) => started.slice(0, 16).replace('T', ' ');

/** Empty for a build that runs. */
function durationOf({ started, ended }: BuildRecord): string {
  if (!ended) return '';
  const seconds = Math.round((Date.parse(ended) - Date.parse(started)) / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
