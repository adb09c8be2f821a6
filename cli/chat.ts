import { chat } from '../functions/client/chat.ts';
import { Polyseek } from '../functions/client/client.ts';
import { main, Tool } from './kit/command.ts';
import { numberOption } from './kit/flags.ts';

interface Options {
  url: string;
  key?: string;
  minConfidence?: number;
}

const command = new Tool(
  'npm run chat --',
  'Answer questions in the terminal and cite the passages. A question may refer to the previous ones.',
)
  .option('--url <url>', 'URL of the endpoint', 'http://localhost:8787')
  .option(
    '--key <key>',
    'API key; prefer the environment variable POLYSEEK_API_KEY, which other users of this machine cannot see',
  )
  .option(
    '--min-confidence <x>',
    'answer from this confidence on, and "I don\'t know." below it (default: the verdict decides)',
    numberOption('--min-confidence', 0, 1, 'a number'),
  )
  .examples(
    'npm run chat',
    'npm run chat -- --url https://abcde12345.execute-api.eu-central-1.amazonaws.com',
  );

await main(async () => {
  command.parse();
  const { url, key = process.env.POLYSEEK_API_KEY, minConfidence } = command.opts<Options>();
  const client = new Polyseek({ url, apiKey: key });
  const { index } = await client.health();
  console.log(`Ask about ${index.passages} passages, in any language. Press Ctrl-D to quit.`);
  await chat(client, { minConfidence });
});
