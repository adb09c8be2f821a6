/**
 * polyseek for CDK apps: `import { SemanticSearch } from 'polyseek/cdk'`.
 */
export type { Auth, SemanticSearchProps } from './props.ts';
export { PushRole, type PushRoleProps } from './push-role.ts';
export { SemanticSearch } from './semantic-search.ts';
