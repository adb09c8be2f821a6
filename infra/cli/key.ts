import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { digestOf } from '../../functions/search/auth.ts';
import { main } from '../../index/cli/main.ts';
import { addKey, newKey } from '../keys.ts';

const command = new Command('npm run key --')
  .description('Make an API key, print it, and list its SHA-256 digest under context.apiKeys of cdk.json.')
  .argument('<name>', 'who will use it, for the list and the log: 1 to 32 letters, digits, _ or -')
  .option('--file <path>', 'where to list it', 'cdk.json')
  .addHelpText(
    'after',
    '\nOnly the key goes to standard output. To revoke it, delete its line and deploy.\n\nExample:\n  npm run --silent key -- chatbot > chatbot.key',
  );

await main(async () => {
  command.parse();
  const [name = ''] = command.args;
  const { file } = command.opts<{ file: string }>();
  const key = newKey();
  replace(file, addKey(read(file), file, name, digestOf(key).toString('hex')));
  console.log(key);
  console.error(
    `This key is shown only now, as ${file} has just its digest: send it in the header x-api-key, or as Authorization: Bearer KEY. It is valid from the next npx cdk deploy on.`,
  );
});

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error(
        `There is no ${file}: run this in the folder that has cdk.json, or give its path with --file.`,
      );
    }
    throw error;
  }
}

/** Writes a file so that it is never there in part. */
function replace(file: string, text: string): void {
  const draft = `${file}.${process.pid}.new`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}
