import { packageClient } from '../functions/client/npm/build-client.ts';
import { main, Tool } from './kit/command.ts';

const FOLDER = 'build/client';

const command = new Tool(
  'npm run client',
  `Build the TypeScript client as an npm package in ${FOLDER}.`,
).examples('npm run client && cd ../app && npm install ../polyseek/build/client');

await main(async () => {
  command.parse();
  packageClient(FOLDER);
  console.log(`Built ${FOLDER}. Install it with npm, and import { Polyseek } from 'polyseek/client'.`);
});
