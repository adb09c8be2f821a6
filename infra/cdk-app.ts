import { App } from 'aws-cdk-lib';
import { packageFunction } from '../functions/search/package/package-function.ts';
import { readContext, readProps } from './props.ts';
import { SearchStack } from './stack.ts';

// What `cdk` runs, by cdk.json: packages the index and describes the stack.
try {
  const app = new App();
  const { stack, index, props } = readContext(app.node);
  const { folder, architecture } = readProps(props);
  await packageFunction(index, folder, architecture);
  new SearchStack(app, stack, props);
  app.synth();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
