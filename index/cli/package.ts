import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { DEFAULT_INDEX } from '../local.ts';
import { packageFunction } from '../package.ts';
import { main } from './main.ts';

const command = new Command('npm run package --')
  .description('Put the Lambda function together: a folder that needs nothing else to answer questions.')
  .option('--index <dir>', 'folder of the index', DEFAULT_INDEX)
  .option('--out <dir>', 'where to put it; what is there is replaced', 'build/function')
  .addHelpText('after', '\nExample:\n  npm run package -- --index build/index --out build/function');

await main(async () => {
  command.parse();
  const { index, out } = command.opts<{ index: string; out: string }>();
  await packageFunction(index, out);
  const files = (await readdir(out, { recursive: true, withFileTypes: true })).filter((file) =>
    file.isFile(),
  );
  const bytes = files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
  console.log(
    `${out}: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB for ${process.platform} ${process.arch}`,
  );
});
