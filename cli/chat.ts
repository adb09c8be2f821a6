import type { Command } from 'commander';
import { chat, type Searcher } from '../functions/web/client/chat.ts';
import { Polyseek } from '../functions/web/client/client.ts';
import { Tool } from './kit/command.ts';
import {
  addEndpoint,
  chosenUrl,
  type EndpointFlags,
  jsonOption,
  numberOption,
  searchedIndexOption,
} from './kit/flags.ts';

type Flags = EndpointFlags & { index: string; minConfidence?: number; json?: boolean };

export const command = addEndpoint(
  new Tool(
    'chat',
    'Answer questions in the terminal and cite the passages. A question may refer to the previous ones.',
  ),
)
  .addOption(searchedIndexOption())
  .option(
    '--min-confidence <x>',
    'quote passages from this confidence on (default: the verdict decides)',
    numberOption('--min-confidence', 0, 1, 'a number'),
  )
  .addOption(jsonOption('print one line of JSON for each question'))
  .examples(
    'npx polyseek chat',
    'npx polyseek chat --url https://abcde12345.execute-api.eu-central-1.amazonaws.com',
    'echo "Is there a right to paid holidays?" | npx polyseek chat --json',
  )
  .action(async ({ key, index, minConfidence, json }: Flags, command: Command) => {
    const url = chosenUrl(command, 'index');
    const { client, passages } = await open(url, key, index);
    const place = url ?? index;
    if (!json)
      console.log(`Ask about the ${passages} passages of ${place}, in any language. Press Ctrl-D to quit.`);
    await chat(client, { minConfidence, json });
  });

type Opened = { client: Searcher; passages: number };

async function open(url: string | undefined, key: string | undefined, index: string): Promise<Opened> {
  if (url) {
    const client = new Polyseek({ url, apiKey: key });
    return { client, passages: (await client.health()).index.passages };
  }
  const { openLocal } = await import('../index/ingest/open-local.ts');
  const { readSearchBody } = await import('../functions/search/requests.ts');
  const search = await openLocal(index);
  const client: Searcher = {
    search: async (question) => search.search(readSearchBody(JSON.stringify(question))),
  };
  return { client, passages: search.info.passages };
}
