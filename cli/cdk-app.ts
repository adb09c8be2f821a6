import { Tool } from './kit/command.ts';

/** Run by `cdk`, as cdk.json says. */
export const command = new Tool('cdk-app', 'The CDK app of cdk.json.')
  .examples('npx cdk synth')
  .action(async () => (await import('../infra/cdk-app.ts')).runApp());
