import { listVersions, versionTable } from '../infra/remote/versions.ts';
import { print } from './kit/command.ts';
import { remoteTool, type Target, target } from './kit/remote.ts';

export const command = remoteTool('versions', 'List the versions of the deployed function, newest first.')
  .examples('npx polyseek versions')
  .action(async (flags: Target) => {
    const versions = await listVersions(target(flags));
    print(flags.json, versions, () => versionTable(versions));
  });
