import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import { expect } from 'vitest';
import type { SemanticSearchProps } from '../../infra/props.ts';
import type { SettingsInput } from '../../infra/schema.ts';
import { SemanticSearch } from '../../infra/semantic-search.ts';
import { SearchStack } from '../../infra/stack.ts';

/** An app whose stacks package no code, as for `cdk ls`. */
export const unpackagedApp = (outdir: string): App => new App({ outdir, context: { [BUNDLING_STACKS]: [] } });

/** The stack of settings as in cdk.json, without code. */
export const stackOf = (outdir: string, settings: SettingsInput): SearchStack =>
  new SearchStack(unpackagedApp(outdir), 'docs', settings);

/** A stack of someone's own app with one construct, without code. */
export function ownStack(
  outdir: string,
  props: (stack: Stack) => SemanticSearchProps,
): { stack: Stack; search: SemanticSearch; template: () => Template } {
  const stack = new Stack(unpackagedApp(outdir), 'mine');
  const search = new SemanticSearch(stack, 'Search', { auth: 'iam', ...props(stack) });
  return { stack, search, template: () => Template.fromStack(stack) };
}

/** The only resource of a type: its name in the template, and its properties. */
export function only(template: Template, type: string) {
  const found = Object.entries(template.findResources(type));
  expect(found).toHaveLength(1);
  const [name, { Properties, DeletionPolicy, DependsOn }] = found[0] as [string, Record<string, unknown>];
  return {
    name,
    properties: Properties as Record<string, never>,
    deletionPolicy: DeletionPolicy,
    dependsOn: DependsOn,
  };
}
