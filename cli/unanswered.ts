import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { questionsIn, readDeployedLog } from '../functions/deployed/questions.ts';
import type { HostRoute } from '../functions/search/app.ts';
import { compileModel, DEFAULT_MODEL } from '../index/compile/compile.ts';
import { Embedder } from '../index/embedding/embedder.ts';
import { findUnanswered, type QuestionGroup, type UnansweredReport } from '../index/evaluate/unanswered.ts';
import { openLocal } from '../index/ingest/open-local.ts';
import type { Search } from '../index/search/answer.ts';
import { print, UsageError } from './kit/command.ts';
import { remoteTool, type Target, target } from './kit/deployed.ts';
import { numberOption, searchedIndexOption } from './kit/flags.ts';

interface Flags extends Target {
  since?: number;
  groups: number;
  collection?: string;
  index: string;
}

/** How far back the log of a deployed function is read, in ms. */
const WEEK = 7 * 24 * 3_600_000;

/** Other phrasings shown of a group. */
const SHOWN = 3;

export const command = remoteTool(
  'unanswered',
  'List the questions without a sure answer, grouped by meaning in all languages. Needs logQuestions.',
)
  .argument(
    '[log...]',
    'log files of npx polyseek start, or - for standard input (default: the log of the deployed function)',
  )
  .option(
    '--since <time>',
    'read entries from this time on: 7d, 12h or a date (default: 7d; all entries of files)',
    sinceOf,
  )
  .option('--groups <n>', 'number of groups to list', numberOption('--groups', 1, 1000, 'a whole number'), 20)
  .option('--collection <name>', 'questions to this collection; name its folder with --index')
  .addOption(searchedIndexOption())
  .examples(
    'npx polyseek unanswered --since 30d',
    'npx polyseek unanswered polyseek.log --json',
    'aws logs tail /aws/lambda/polyseek --since 7d | npx polyseek unanswered -',
  )
  .action(async (files: string[], { since, groups, collection, index, ...flags }: Flags) => {
    const search = await openLocal(index);
    try {
      const start = since ?? (files.length === 0 ? Date.now() - WEEK : 0);
      const lines = files.length === 0 ? readDeployedLog(target(flags), start) : readLogs(files);
      const report = await reportOn(lines, start, collection, search);
      const shown = { ...report, groups: report.groups.slice(0, groups) };
      print(flags.json, shown, () => reportText(report, groups));
    } finally {
      search.close();
    }
  });

/** The time that `--since` names, in ms since 1970. */
function sinceOf(text: string): number {
  const [, number, unit] = /^(\d+)([mhdw])$/.exec(text) ?? [];
  if (number) return Date.now() - Number(number) * { m: 1, h: 60, d: 1440, w: 10_080 }[unit as 'm'] * 60_000;
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new UsageError(`--since ${text} is not a time. Use 30m, 12h, 7d, 4w or a date such as 2026-11-30.`);
}

/** The lines of log files, and of standard input for `-`. */
async function* readLogs(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files)
    yield* createInterface({ input: file === '-' ? process.stdin : createReadStream(file) });
}

/** Groups the unanswered questions in the lines of a log. */
async function reportOn(
  lines: AsyncIterable<string>,
  since: number,
  collection: string | undefined,
  search: Search,
): Promise<UnansweredReport> {
  const questions = await questionsIn(lines, since, collection);
  const embedder = await Embedder.open(compileModel(DEFAULT_MODEL), { verify: false });
  return findUnanswered(questions, embedder, search);
}

function summaryOf({ asked, groups }: UnansweredReport): string {
  if (groups.length === 0) return 'No question without a sure answer in this log.';
  return `${asked} searches without a sure answer, in ${groups.length} groups`;
}

function reportText(report: UnansweredReport, most: number): string {
  const { smallTalk, leftOut, groups } = report;
  const notes = [
    groups.length > most && `${groups.length - most} smaller groups are not shown (--groups).`,
    smallTalk > 0 && `Left out: texts that ask nothing, such as greetings (${smallTalk}).`,
    leftOut > 0 && `Left out: rarer questions (${leftOut}).`,
  ].filter((note) => note !== false);
  return [
    summaryOf(report),
    ...groups.slice(0, most).map(groupText),
    ...(notes.length > 0 ? [notes.join('\n')] : []),
  ].join('\n\n');
}

function groupText({ question, others, nearest, ...group }: QuestionGroup): string {
  const more = others.length - SHOWN;
  return [
    `${timesOf(group, 'x')}${question}`,
    `    ${detailsOf(group)}`,
    ...others.slice(0, SHOWN).map((other) => `    also: ${other}`),
    ...(more > 0 ? [`    and ${more} more`] : []),
    ...nearest.map(
      ({ title, source, confidence }) => `    near: ${title || source} (${confidence.toFixed(2)})`,
    ),
  ].join('\n');
}

/** How often a group was asked; nothing for an answered question that was not helpful. */
const timesOf = ({ asked }: { asked: number }, sign: string) => (asked > 0 ? `${asked} ${sign} ` : '');

/** The counts and languages of a group in words. */
function detailsOf({
  asked,
  none,
  helpful,
  unhelpful,
  languages,
}: Omit<QuestionGroup, 'question' | 'others' | 'nearest'>): string {
  const counts = [
    asked > 0 && `${none} with nothing found`,
    helpful > 0 && `${helpful} found helpful`,
    unhelpful > 0 && `${unhelpful} found not helpful`,
    languages.length > 0 && languages.join(', '),
  ];
  return counts.filter((count) => count !== false).join('; ');
}

/** A page of the local server with the report on log files, which are read again for each request. */
export const pageOf =
  (files: readonly string[]): HostRoute =>
  (searchOf) => ({
    path: '/unanswered',
    GET: async (request) => {
      const report = await reportOn(readLogs(files), 0, request.collection, await searchOf(request));
      return {
        status: 200,
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'cache-control': 'no-store',
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
        },
        body: pageText(report),
      };
    },
  });

const STYLE =
  ':root{color-scheme:light dark;font:1rem/1.5 system-ui}body{max-width:48rem;margin:2rem auto;padding:0 1rem}h2{font-size:1.1rem;margin:2rem 0 0}p,ul{margin:.3rem 0}';

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function pageText(report: UnansweredReport): string {
  const groups = report.groups.map((group) => {
    const listed = (items: string[]) =>
      `<ul>${items.map((item) => `<li dir="auto">${item}</li>`).join('')}</ul>`;
    const near = group.nearest.map(
      ({ title, source, confidence }) => `${escaped(title || source)} (${confidence.toFixed(2)})`,
    );
    return [
      `<h2 dir="auto">${timesOf(group, '×')}${escaped(group.question)}</h2><p>${escaped(detailsOf(group))}</p>`,
      listed(group.others.map(escaped)),
      ...(near.length > 0 ? [`<p>Nearest passages:</p>${listed(near)}`] : []),
    ].join('');
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Unanswered questions</title><style>${STYLE}</style><main><h1>Unanswered questions</h1><p>${summaryOf(report)}</p>${groups.join('')}</main></html>`;
}
