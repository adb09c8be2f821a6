import { Tool } from './kit/command.ts';

export const command = new Tool(
  'cdk-app',
  'Define the stack of cdk.json. CDK runs this command: cdk.json names it as app.',
)
  .examples('npx cdk synth --app "npx polyseek cdk-app"')
  .action(async () => {
    // The module is the app.
    await import('../infra/cdk-app.ts');
  });
