import { App } from 'aws-cdk-lib';
import { readContext } from './context.ts';
import { SearchStack } from './stack.ts';

/** The CDK app that cdk.json describes: one stack with its settings. Prints an error as a sentence. */
export function runApp(): void {
  try {
    // Synthesizes only a complete app. By default, an app also does so when the process ends after an error.
    const app = new App({ autoSynth: false });
    const { stack, settings } = readContext(app.node);
    new SearchStack(app, stack, settings);
    app.synth();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
