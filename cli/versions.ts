import { readSettings } from '../functions/deployed/settings.ts';
import { listVersions, versionTable } from '../functions/deployed/versions.ts';
import { print } from './kit/command.ts';
import { remoteTool, type Target, target } from './kit/deployed.ts';
import { findAddress, generationTable } from './kit/published.ts';

export const command = remoteTool(
  'versions',
  'List the versions of the deployed function, newest first; of an index in S3 Vectors, its generations.',
)
  .examples('npx polyseek versions')
  .action(async (flags: Target) => {
    if (readSettings(flags.stage).store === 's3vectors') {
      const { versionsOf } = await import('../index/store/s3vectors/publish/manage.ts');
      const generations = await versionsOf(await findAddress(flags));
      print(flags.json, { generations }, () => generationTable(generations));
      return;
    }
    const versions = await listVersions(target(flags));
    print(flags.json, versions, () => versionTable(versions));
  });
