import { App } from 'aws-cdk-lib';
import { readContext } from './context.ts';
import { SearchStack } from './stack.ts';

/** The CDK app that cdk.json describes: one stack with its settings. Prints an error as a sentence. */
export function runApp(): void {
  try {
    const app = new App();
    const { stack, settings } = readContext(app.node);
    new SearchStack(app, stack, settings);
    app.synth();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
