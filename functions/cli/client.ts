import { Command } from 'commander';
import { main } from '../../index/cli/main.ts';
import { packageClient } from '../client/package/package.ts';

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
