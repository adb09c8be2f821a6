import { Argument } from 'commander';
import { Bucket } from '../functions/builder/bucket.ts';
import { Builds, newBuildId } from '../functions/builder/builds.ts';
import { readBuilder, startBuild } from '../functions/deployed/builder.ts';
import { buildTable, describeBuild } from './kit/builds-text.ts';
import { print } from './kit/command.ts';
import { followBuild } from './kit/follow-build.ts';
import { remoteTool, type Target, target } from './kit/remote.ts';

/** Builds that `remote builds` lists. */
const LISTED = 20;

interface Flags extends Target {
  wait: boolean;
}

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
  .action(async (action: string, flags: Flags) => {
    const remote = target(flags);
    const builder = await readBuilder(remote);
    const builds = new Builds(new Bucket(builder.bucket, remote.s3));
    if (action === 'builds') {
      const records = await builds.list(LISTED);
      print(flags.json, records, () => buildTable(records));
      return;
    }
    const id = newBuildId();
    await startBuild(remote, builder, id);
    if (!flags.wait) {
      print(flags.json, { id }, () => `Build ${id} is started. Follow it with npx polyseek remote builds.`);
      return;
    }
    const record = await followBuild(builds, id, builder.name);
    if (flags.json || record.status !== 'failed') print(flags.json, record, () => describeBuild(record));
    if (record.status === 'failed') throw new Error(`Build ${id} failed. ${record.reason}`);
  });
