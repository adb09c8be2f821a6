/**
 * polyseek for CDK apps: `import { SemanticSearch } from 'polyseek/cdk'`.
 */
export { Builder } from './builder-function.ts';
export type { Auth, BucketDocuments, SemanticSearchProps, Store } from './props.ts';
export { PushRole, type PushRoleProps } from './push-role.ts';
export { SemanticSearch } from './semantic-search.ts';
export { VectorStore } from './storage.ts';
