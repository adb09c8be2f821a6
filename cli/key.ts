import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { digestOf } from '../functions/search/auth.ts';
import { addKey, newKey } from '../infra/keys.ts';
import { main, print, Tool } from './kit/command.ts';
import { jsonOption } from './kit/flags.ts';

const command = new Tool(
  'npm run key --',
  'Make an API key, print it, and list its SHA-256 digest under context.apiKeys of cdk.json. To revoke a key, delete its line and deploy.',
)
  .argument('<name>', 'who will use it, for the list and the log: 1 to 32 letters, digits, _ or -')
  .option('--file <path>', 'where to list it', 'cdk.json')
  .addOption(jsonOption())
  .examples('npm run --silent key -- chatbot > chatbot.key')
  .action((name: string, { file, json }: { file: string; json?: boolean }) => {
    const key = newKey();
    const digest = digestOf(key).toString('hex');
    replace(file, addKey(read(file), file, name, digest));
    print(json, { name, key, digest }, () => key);
    console.error(
      `This key is shown only now, as ${file} has just its digest: send it in the header x-api-key, or as Authorization: Bearer KEY. It is valid from the next npx cdk deploy on.`,
    );
  });

await main(() => command.parseAsync());

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
