import { Command } from 'commander';
import { packageClient } from '../functions/client/npm/build-client.ts';
import { main } from './kit/command.ts';

new Command('npm run client')
  .description('Make build/client, an npm package of the TypeScript client.')
  .addHelpText(
    'after',
    "\nThen: npm install ../polyseek/build/client, and import { Polyseek } from 'polyseek/client'.",
  )
  .parse();

await main(async () => {
  packageClient('build/client');
  console.log(
    "Made build/client: npm install it where you need it, and import { Polyseek } from 'polyseek/client'.",
  );
});
