import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { digestOf } from '../functions/search/auth.ts';
import { addKey, newKey } from '../infra/keys.ts';
import { print, Tool } from './kit/command.ts';
import { jsonOption } from './kit/flags.ts';

export const command = new Tool(
  'key',
  'Create an API key, print it, and add its SHA-256 digest to context.apiKeys of cdk.json. To revoke a key, delete its line and deploy.',
)
  .argument('<name>', 'name of the caller, used in cdk.json and in the log: 1 to 32 letters, digits, _ or -')
  .option('--file <path>', 'file with the digests', 'cdk.json')
  .addOption(jsonOption())
  .examples('npx polyseek key chatbot > chatbot.key')
  .action((name: string, { file, json }: { file: string; json?: boolean }) => {
    const key = newKey();
    const digest = digestOf(key).toString('hex');
    replace(file, addKey(read(file), file, name, digest));
    print(json, { name, key, digest }, () => key);
    console.error(
      `Save this key now: ${file} contains only its digest. Send it in the header x-api-key, or as Authorization: Bearer KEY. It works after the next npx cdk deploy.`,
    );
  });

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error(
        `${file} does not exist. Run this command in the folder of cdk.json, or pass its path with --file.`,
      );
    }
    throw error;
  }
}

/** Replaces a file atomically. */
function replace(file: string, text: string): void {
  const draft = `${file}.${process.pid}.new`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}
