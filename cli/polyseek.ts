#!/usr/bin/env node
import { styleText } from 'node:util';
import { main, Tool } from './kit/command.ts';

interface Entry {
  /** What the list of commands says about it. */
  summary: string;
  load: () => Promise<{ command: Tool }>;
}

/** Every command, by its heading in the list of commands. Only the module of the one that runs is loaded. */
const GROUPS: Record<string, Record<string, Entry>> = {
  'Build:': {
    init: {
      summary: 'write the config files and a GitHub Actions workflow',
      load: () => import('./init.ts'),
    },
    index: { summary: 'build an index from documents', load: () => import('./index.ts') },
    inspect: { summary: 'show what an index contains', load: () => import('./inspect.ts') },
  },
  'Search:': {
    search: { summary: 'ask a question', load: () => import('./search.ts') },
    chat: { summary: 'ask questions in a conversation', load: () => import('./chat.ts') },
    mcp: { summary: 'serve an index or endpoint to language models', load: () => import('./mcp.ts') },
    start: {
      summary: 'start the endpoint and the search page on this machine',
      load: () => import('./start.ts'),
    },
  },
  'Deploy:': {
    deploy: { summary: 'deploy to AWS; asks for what is missing', load: () => import('./deploy.ts') },
    key: { summary: 'create an API key', load: () => import('./key.ts') },
    push: { summary: 'make a new index live', load: () => import('./push.ts') },
    rollback: { summary: 'make an older version live', load: () => import('./rollback.ts') },
    versions: { summary: 'list the deployed versions', load: () => import('./versions.ts') },
    prune: { summary: 'delete old versions', load: () => import('./prune.ts') },
    remote: { summary: 'build the index in AWS, and list builds', load: () => import('./remote.ts') },
    package: { summary: 'build the folder that Lambda receives', load: () => import('./package.ts') },
  },
  'Models and quality:': {
    eval: { summary: 'compute retrieval metrics', load: () => import('./eval.ts') },
    tune: { summary: 'fit the confidence to your questions', load: () => import('./tune.ts') },
    embed: { summary: 'embed texts', load: () => import('./embed.ts') },
    model: { summary: 'import another model', load: () => import('./model.ts') },
    learn: { summary: "learn a model's parameters", load: () => import('./learn.ts') },
  },
  'Help:': {
    doctor: { summary: 'check this machine and project', load: () => import('./doctor.ts') },
  },
};

/** Run by `cdk`, as cdk.json says, so not in the list. */
const cdkApp = new Tool('cdk-app', 'The CDK app of cdk.json.')
  .examples('npx cdk synth')
  .action(async () => (await import('../infra/cdk-app.ts')).runApp());

const FIRST_STEPS = [
  ['npx polyseek index docs', 'build an index from your documents'],
  ['npx polyseek start', 'search it in a browser'],
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
    for (const [own, { summary, load }] of Object.entries(group)) {
      const command = own === name ? (await load()).command : new Tool(own);
      if (own === name || !isKnown) program.addCommand(command.summary(summary).helpGroup(heading));
    }
  }
  if (process.argv.length === 2) program.outputHelp();
  else await program.parseAsync();
});
