#!/usr/bin/env node
import { main, Tool } from './kit/command.ts';

/** Every command's module. Only the one that runs is loaded. */
const COMMANDS: Record<string, () => Promise<{ command: Tool }>> = {
  index: () => import('./index.ts'),
  start: () => import('./start.ts'),
  search: () => import('./search.ts'),
  chat: () => import('./chat.ts'),
  mcp: () => import('./mcp.ts'),
  inspect: () => import('./inspect.ts'),
  eval: () => import('./eval.ts'),
  embed: () => import('./embed.ts'),
  package: () => import('./package.ts'),
  push: () => import('./push.ts'),
  rollback: () => import('./rollback.ts'),
  versions: () => import('./versions.ts'),
  prune: () => import('./prune.ts'),
  key: () => import('./key.ts'),
  'cdk-app': () => import('./cdk-app.ts'),
  model: () => import('./model.ts'),
  learn: () => import('./learn.ts'),
};

const program = new Tool('polyseek', 'Semantic search over your documents, in any language.')
  .helpCommand('help [command]', 'print help for a command')
  .examples(
    'npx polyseek index docs',
    'npx polyseek start',
    'npx polyseek search "May I be imprisoned without a trial?"',
  );

await main(async () => {
  const [, , name = ''] = process.argv;
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const loads = load ? [load] : Object.values(COMMANDS);
  for (const { command } of await Promise.all(loads.map((load) => load()))) program.addCommand(command);
  await program.parseAsync();
});
