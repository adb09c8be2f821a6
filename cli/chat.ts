import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { chat, type Searcher } from '../functions/client/chat.ts';
import { Polyseek } from '../functions/client/client.ts';
import { DEFAULT_INDEX } from '../index/format/installation.ts';
import { Tool } from './kit/command.ts';
import { addEndpoint, chosenUrl, type EndpointFlags, jsonOption, numberOption } from './kit/flags.ts';

/** The address of `npx polyseek start`. */
const LOCAL_URL = 'http://localhost:8787';

interface Flags extends EndpointFlags {
  index?: string;
  minConfidence?: number;
  json?: boolean;
}

export const command = addEndpoint(
  new Tool(
    'chat',
    'Answer questions in the terminal and cite the passages. A question may refer to the previous ones.',
  ),
)
  .option(
    '--index <dir>',
    `folder of the index, or its address s3vectors://BUCKET/NAME (default: .polyseek/index if it exists, else ${LOCAL_URL})`,
  )
  .option(
    '--min-confidence <x>',
    'answer from this confidence on, and "I don\'t know." below it (default: the verdict decides)',
    numberOption('--min-confidence', 0, 1, 'a number'),
  )
  .addOption(jsonOption('print one line of JSON for each question'))
  .examples(
    'npx polyseek chat',
    'npx polyseek chat --url https://abcde12345.execute-api.eu-central-1.amazonaws.com',
    'echo "Am I entitled to paid leave?" | npx polyseek chat --json',
  )
  .action(async ({ key, index, minConfidence, json }: Flags, command: Command) => {
    const { client, passages } = await open(chosenUrl(command, 'index'), key, index);
    if (!json) console.log(`Ask about ${passages} passages, in any language. Press Ctrl-D to quit.`);
    await chat(client, { minConfidence, json });
  });

/** The index or endpoint to ask, and its number of passages. */
async function open(
  url: string | undefined,
  key: string | undefined,
  index: string | undefined,
): Promise<{ client: Searcher; passages: number }> {
  if (!url) {
    const { openLocal } = await import('../index/local.ts');
    const { locateFolder } = await import('../index/format/drafts.ts');
    if (index !== undefined || existsSync(locateFolder(DEFAULT_INDEX))) {
      const { readSearchBody } = await import('../functions/search/requests.ts');
      const search = await openLocal(index ?? DEFAULT_INDEX);
      const client: Searcher = {
        search: async (question) =>
          search.search(
            readSearchBody(JSON.stringify(typeof question === 'string' ? { q: question } : question)),
          ),
      };
      return { client, passages: search.info.passages };
    }
  }
  const client = new Polyseek({ url: url ?? LOCAL_URL, apiKey: key });
  const { index: opened } = await client.health().catch((error: Error) => {
    if (url) throw error;
    throw new Error(
      `There is no index in .polyseek/index, and no server at ${LOCAL_URL}. Build an index with npx polyseek index PATH, or ask an endpoint with --url URL.`,
      { cause: error },
    );
  });
  return { client, passages: opened.passages };
}
