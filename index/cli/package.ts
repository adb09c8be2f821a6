import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { DEFAULT_INDEX } from '../local.ts';
import type { Architecture } from '../package/libraries.ts';
import { packageFunction } from '../package/package.ts';
import { main } from './main.ts';

const command = new Command('npm run package --')
  .description('Put the Lambda function together: a folder that needs nothing else to answer questions.')
  .option('--index <dir>', 'folder of the index', DEFAULT_INDEX)
  .option('--out <dir>', 'where to put it; what is there is replaced', 'build/function')
  .addOption(
    new Option(
      '--arch <architecture>',
      "Lambda's processor; without it, the folder is for this machine",
    ).choices(['x86_64', 'arm64']),
  )
  .addHelpText('after', '\nExample:\n  npm run package -- --arch arm64');

await main(async () => {
  command.parse();
  const { index, out, arch } = command.opts<{ index: string; out: string; arch?: Architecture }>();
  await packageFunction(index, out, arch);
  const files = (await readdir(out, { recursive: true, withFileTypes: true })).filter((file) =>
    file.isFile(),
  );
  const bytes = files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
  console.log(
    `${out}: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB for ${arch ? `Lambda on ${arch}` : `${process.platform} ${process.arch}`}`,
  );
});
