import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { type Chat, createChat, type Searcher } from '../functions/web/client/chat.ts';
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
import { addModel, type ModelFlags, modelOf, searcherOf } from './kit/llm.ts';
import { printable, printableJson } from './kit/printable.ts';

type Flags = EndpointFlags & ModelFlags & { index: string; minConfidence?: number; json?: boolean };

export const command = addModel(
  addEndpoint(
    new Tool(
      'chat',
      'Answer questions in the terminal and cite the passages. A question may refer to the previous ones.',
    ),
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
    'npx polyseek chat --llm http://localhost:11434/v1 --llm-model gemma3',
    'echo "Is there a right to paid holidays?" | npx polyseek chat --json',
  )
  .action(async ({ key, index, minConfidence, json, ...flags }: Flags, command: Command) => {
    const url = chosenUrl(command, 'index');
    const model = await modelOf(flags);
    const { client, passages } = await open(url, key, index);
    const place = url ?? index;
    if (!json)
      console.log(`Ask about the ${passages} passages of ${place}, in any language. Press Ctrl-D to quit.`);
    await converse(createChat({ client, model, minConfidence }), json);
  });

/** Answers each line of standard input until it ends. Prints the message of an error instead of an answer. */
async function converse(chat: Chat, json = false): Promise<void> {
  const lines = createInterface({
    input: process.stdin,
    ...(!json && { output: process.stdout, prompt: '> ' }),
  });
  const prompt = () => {
    if (!json) lines.prompt();
  };
  const print = (text: string, q: string, fields: object) =>
    console.log(json ? printableJson(JSON.stringify({ q, ...fields })) : `${printable(text)}\n`);
  const onText = (part: string) => {
    if (!json) process.stdout.write(printable(part));
  };
  prompt();
  for await (const line of lines) {
    const q = line.trim();
    if (q !== '')
      await chat.ask(q, { onText }).then(
        (reply) => print('', q, reply),
        ({ message }: Error) => print(message, q, { error: message }),
      );
    prompt();
  }
}

type Opened = { client: Searcher; passages: number };

async function open(url: string | undefined, key: string | undefined, index: string): Promise<Opened> {
  if (url) {
    const client = new Polyseek({ url, apiKey: key });
    return { client, passages: (await client.health()).index.passages };
  }
  const { openLocal } = await import('../index/ingest/open-local.ts');
  const search = await openLocal(index);
  return { client: searcherOf(search), passages: search.info.passages };
}
