import { chat } from '../functions/client/chat.ts';
import { Polyseek } from '../functions/client/client.ts';
import { Tool } from './kit/command.ts';
import { addEndpoint, type EndpointFlags, numberOption } from './kit/flags.ts';

export const command = addEndpoint(
  new Tool(
    'chat',
    'Answer questions in the terminal and cite the passages. A question may refer to the previous ones.',
  ),
)
  .option(
    '--min-confidence <x>',
    'answer from this confidence on, and "I don\'t know." below it (default: the verdict decides)',
    numberOption('--min-confidence', 0, 1, 'a number'),
  )
  .examples(
    'npx polyseek chat',
    'npx polyseek chat --url https://abcde12345.execute-api.eu-central-1.amazonaws.com',
  )
  .action(
    async ({
      url = 'http://localhost:8787',
      key,
      minConfidence,
    }: EndpointFlags & { minConfidence?: number }) => {
      const client = new Polyseek({ url, apiKey: key });
      const { index } = await client.health();
      console.log(`Ask about ${index.passages} passages, in any language. Press Ctrl-D to quit.`);
      await chat(client, { minConfidence });
    },
  );
