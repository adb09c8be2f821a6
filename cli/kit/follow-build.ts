import { setTimeout } from 'node:timers/promises';
import type { BuildRecord, Builds } from '../../functions/builder/builds.ts';

/** How often to look at the record, in ms. */
const INTERVAL = 2000;
/** How long a started build may have no record, in ms. */
const START = 120_000;
/** How long a record may stay as it is, in ms: Lambda ends each invocation after 15 minutes. */
const SILENCE = 20 * 60_000;

/**
 * Follows a build until it ends, and reports its progress on standard error.
 * @param builder name of the function, for errors
 * @throws if there is no news of it
 */
export async function followBuild(builds: Builds, id: string, builder: string): Promise<BuildRecord> {
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
  return status === 'continues'
    ? `Build ${id} continues in another run${passages}.`
    : `Build ${id} runs${passages}.`;
}
