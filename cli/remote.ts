import { setTimeout } from 'node:timers/promises';
import { Argument } from 'commander';
import { type BuildRecord, Builds, newBuildId } from '../functions/builder/builds.ts';
import { invokeBuilder, readBuilder } from '../functions/deployed/function-parts.ts';
import { tableLines } from '../functions/deployed/versions.ts';
import { Bucket } from '../index/aws/s3.ts';
import { print } from './kit/command.ts';
import { remoteTool, type Target, target } from './kit/deployed.ts';
import { noticesText } from './kit/notices-text.ts';

const LISTED = 20;

export const command = remoteTool(
  'remote',
  'Build the index in AWS (build), or list the newest builds (builds). Needs documents in cdk.json.',
)
  .addArgument(
    new Argument('<action>', 'build: start a build and follow it; builds: list builds').choices([
      'build',
      'builds',
    ]),
  )
  .option('--no-wait', 'build: exit as soon as the build is started')
  .examples('npx polyseek remote build', 'npx polyseek remote builds --json')
  .action(async (action: string, flags: Target & { wait: boolean }) => {
    const remote = target(flags);
    const builder = await readBuilder(remote);
    const builds = new Builds(new Bucket(builder.bucket, remote.s3));
    if (action === 'builds') {
      const records = await builds.list(LISTED);
      print(flags.json, records, () => buildTable(records));
      return;
    }
    const id = newBuildId();
    await invokeBuilder(remote, builder.name, { build: id });
    if (!flags.wait) {
      print(flags.json, { id }, () => `Build ${id} is started. Follow it with npx polyseek remote builds.`);
      return;
    }
    const record = await followBuild(builds, id, builder.name);
    if (flags.json || record.status !== 'failed') print(flags.json, record, () => describeBuild(record));
    if (record.status === 'failed') throw new Error(`Build ${id} failed. ${record.reason}`);
  });

/** How often to look at the record, in ms. */
const INTERVAL = 2000;
/** How long a started build may have no record, in ms. */
const START = 120_000;
/** How long a record may stay as it is, in ms: Lambda ends each invocation after 15 minutes. */
const SILENCE = 20 * 60_000;

/** Follows a build until it ends, with progress on standard error. Throws if there is no news of it. */
async function followBuild(builds: Builds, id: string, builder: string): Promise<BuildRecord> {
  let shown = '';
  let last = performance.now();
  for (;;) {
    const record = await builds.read(id);
    if (record?.ended) return record;
    const news = record ? progressOf(record) : '';
    if (news !== shown) {
      console.error(news);
      shown = news;
      last = performance.now();
    }
    if (performance.now() - last > (record ? SILENCE : START))
      throw new Error(
        `There is no ${record ? 'news' : 'record'} of build ${id}. The log group /aws/lambda/${builder} says what happened.`,
      );
    await setTimeout(INTERVAL);
  }
}

function progressOf({ id, status, embedded = 0 }: BuildRecord): string {
  const passages = embedded > 0 ? `, ${embedded} passages embedded` : '';
  return `Build ${id} ${status === 'continues' ? 'continues in another run' : 'runs'}${passages}.`;
}

const COLUMNS = ['started (UTC)', 'took', 'status', 'cause', 'documents', 'passages', 'embedded', 'live'];

/** A table of builds for people, and why some failed. */
function buildTable(records: readonly BuildRecord[]): string {
  if (records.length === 0)
    return 'No builds yet. Put documents into the bucket, or run npx polyseek remote build.';
  const number = (value: number | undefined) => (value === undefined ? '' : String(value));
  const rows = records.map((record) => [
    ...[timeOf(record), durationOf(record), record.status, record.cause],
    ...[record.documents, record.passages, record.embedded].map(number),
    record.live ?? '',
  ]);
  const failed = records.filter(({ status }) => status === 'failed');
  const reasons = failed.map((record) => `${timeOf(record)} failed: ${record.reason}`);
  return [...tableLines([COLUMNS, ...rows]), ...(reasons.length > 0 ? ['', ...reasons] : [])].join('\n');
}

function describeBuild(record: BuildRecord): string {
  const { id, reason, documents, passages, embedded, notices } = record;
  const counts = Object.entries({ documents, passages, 'passages embedded': embedded })
    .filter(([, number]) => number !== undefined)
    .map(([what, number]) => `${number} ${what}`);
  const built = `Build ${id} took ${durationOf(record)}${counts.length > 0 ? `: ${counts.join(', ')}` : ''}.`;
  return [built, reason, noticesText(notices)].filter(Boolean).join('\n');
}

const timeOf = ({ started }: BuildRecord) => started.slice(0, 16).replace('T', ' ');

/** Empty for a build that runs. */
function durationOf({ started, ended }: BuildRecord): string {
  if (!ended) return '';
  const seconds = Math.round((Date.parse(ended) - Date.parse(started)) / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
