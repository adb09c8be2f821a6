import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { SemanticSearchProps } from './props.ts';
import { SemanticSearch } from './semantic-search.ts';

/** A stack with one `SemanticSearch`. Its function has the stack's name, so that `npx polyseek push` finds it. */
export class SearchStack extends Stack {
  /** @param problem see `SemanticSearch` */
  constructor(scope: Construct, name: string, props: SemanticSearchProps, problem?: string) {
    super(scope, name, { description: 'Semantic search over documents (polyseek)' });
    const { url, function: fn } = new SemanticSearch(
      this,
      'Search',
      { functionName: name, ...props },
      problem,
    );
    new CfnOutput(this, 'Url', {
      value: url,
      description: 'URL of the endpoint. Ask a question with /search?q=',
    });
    new CfnOutput(this, 'FunctionName', { value: fn.functionName });
  }
}
