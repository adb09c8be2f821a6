import { App } from 'aws-cdk-lib';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import { packageFunction } from '../functions/search/package/package-function.ts';
import { readContext, readProps, requireApiKey, type SemanticSearchProps } from './props.ts';
import { SearchStack } from './stack.ts';

// The app that `cdk` runs, as cdk.json says: packages the index and defines the stack.
try {
  const app = new App();
  const { stack, index, props } = readContext(app.node);
  readProps(props);
  // CDK lists the stacks whose assets a command needs: none for `ls` and `destroy`. Without the CLI, all are needed.
  const packaged: string[] = app.node.tryGetContext(BUNDLING_STACKS) ?? ['**'];
  const problem = packaged.length > 0 ? await packageIndex(index, props) : undefined;
  new SearchStack(app, stack, props, problem);
  app.synth();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}

/**
 * Packages the index.
 * @returns the reason why the stack cannot be deployed. It is no error yet, as `cdk diff` needs neither index nor key.
 */
async function packageIndex(index: string, props: SemanticSearchProps): Promise<string | undefined> {
  const settings = readProps(props);
  try {
    requireApiKey(settings);
    await packageFunction(index, settings.folder, settings.architecture);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
