#!/usr/bin/env node
import { styleText } from 'node:util';
import { main, Tool } from './kit/command.ts';

/** The summary of a command in the list of commands, and its module. */
type Entry = [summary: string, load: () => Promise<{ command: Tool }>];

/** Every command, by its heading in the list of commands. Only the module of the one that runs is loaded. */
const GROUPS: Record<string, Record<string, Entry>> = {
  'Build:': {
    init: ['write the config files and a GitHub Actions workflow', () => import('./init.ts')],
    index: ['build an index from documents', () => import('./index.ts')],
    inspect: ['show what an index contains', () => import('./inspect.ts')],
  },
  'Search:': {
    search: ['ask a question', () => import('./search.ts')],
    chat: ['ask questions in a conversation', () => import('./chat.ts')],
    mcp: ['serve an index or endpoint to language models', () => import('./mcp.ts')],
    try: ['search your documents in a browser, at once', () => import('./try.ts')],
    start: ['start the endpoint and the search page on this machine', () => import('./start.ts')],
  },
  'Deploy:': {
    deploy: ['deploy to AWS; asks for what is missing', () => import('./deploy.ts')],
    key: ['create an API key', () => import('./key.ts')],
    push: ['make a new index live', () => import('./push.ts')],
    rollback: ['make an older version live', () => import('./rollback.ts')],
    versions: ['list the deployed versions', () => import('./versions.ts')],
    prune: ['delete old versions', () => import('./prune.ts')],
    remote: ['build the index in AWS, and list builds', () => import('./remote.ts')],
    package: ['build the folder that Lambda receives', () => import('./package.ts')],
  },
  'Models and quality:': {
    eval: ['compute retrieval metrics', () => import('./eval.ts')],
    unanswered: ['list questions without a sure answer', () => import('./unanswered.ts')],
    tune: ['fit the confidence to your questions', () => import('./tune.ts')],
    embed: ['embed texts', () => import('./embed.ts')],
    model: ['import another model', () => import('./model.ts')],
    learn: ["learn a model's parameters", () => import('./learn.ts')],
  },
  'Help:': {
    doctor: ['check this machine and project', () => import('./doctor.ts')],
  },
};

/** Run by `cdk`, as cdk.json says, so not in the list. */
const cdkApp = new Tool('cdk-app', 'The CDK app of cdk.json.')
  .examples('npx cdk synth')
  .action(async () => (await import('../infra/cdk-app.ts')).runApp());

const FIRST_STEPS = [
  ['npx polyseek try docs', 'search your documents in a browser'],
  ['npx polyseek index docs', 'build an index from them'],
  ['npx polyseek deploy', 'deploy it to AWS'],
].map(([line = '', does]) => `  ${line.padEnd(25)}${does}`);

const program = new Tool('polyseek', 'Semantic search over your documents, in any language.')
  .addHelpText('before', () => `${styleText('bold', 'First steps:')}\n${FIRST_STEPS.join('\n')}\n`)
  .commandsGroup('Help:')
  .helpCommand('help [command]', 'print help for a command')
  .examples(
    'npx polyseek index docs',
    'npx polyseek search "Can I leave my country?"',
    'npx polyseek help search',
  );

await main(async () => {
  const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
  const [name = ''] = words[0] === 'help' ? words.slice(1) : words;
  if (name === cdkApp.name()) program.addCommand(cdkApp);
  const isKnown = Object.values(GROUPS).some((group) => Object.hasOwn(group, name));
  for (const [heading, group] of Object.entries(GROUPS)) {
    for (const [own, [summary, load]] of Object.entries(group)) {
      const command = own === name ? (await load()).command : new Tool(own);
      if (own === name || !isKnown) program.addCommand(command.summary(summary).helpGroup(heading));
    }
  }
  if (process.argv.length === 2) program.outputHelp();
  else await program.parseAsync();
});
