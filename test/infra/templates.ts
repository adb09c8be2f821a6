import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import { expect } from 'vitest';
import type { SemanticSearchProps } from '../../infra/props.ts';
import type { SettingsInput } from '../../infra/schema.ts';
import { SemanticSearch } from '../../infra/semantic-search.ts';
import { SearchStack } from '../../infra/stack.ts';

/** An app whose stacks package no code, as for `cdk ls`. It writes into a new folder. */
export function unpackagedApp(parent: string, context: object = {}): App {
  mkdirSync(parent, { recursive: true });
  const outdir = mkdtempSync(join(parent, 'cdk-'));
  return new App({ outdir, context: { [BUNDLING_STACKS]: [], ...context } });
}

const stacks = new Map<string, SearchStack>();
const templates = new Map<SearchStack, Template>();

/** The stack of settings as in cdk.json, without code. It is made once for the same settings and folder: tests do not change it. */
export function stackOf(outdir: string, settings: SettingsInput): SearchStack {
  const key = JSON.stringify([outdir, settings]);
  const stack = stacks.get(key) ?? new SearchStack(unpackagedApp(outdir), 'docs', settings);
  stacks.set(key, stack);
  return stack;
}

/** The template of `stackOf`. */
export function templateOf(outdir: string, settings: SettingsInput): Template {
  const stack = stackOf(outdir, settings);
  const template = templates.get(stack) ?? Template.fromStack(stack);
  templates.set(stack, template);
  return template;
}

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

/**
 * A value of a template as text: `<Id.Attribute>` or `<Id>` for references, without the hashes of ids, and account, region and partition as
 * `<AccountId>`, `<Region>` and `aws`.
 */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref, ...functions } = value as { Ref?: string } & Record<string, unknown>;
  const named = (id: string) => id.replace(/[0-9A-F]{8}$/, '');
  if (Ref === 'AWS::Partition') return 'aws';
  if (Ref) return `<${named(Ref.replace('AWS::', ''))}>`;
  if ('Fn::GetAtt' in functions) {
    const [id = '', attribute] = functions['Fn::GetAtt'] as string[];
    return `<${named(id)}.${attribute}>`;
  }
  const [separator, parts] = functions['Fn::Join'] as [string, unknown[]];
  return parts.map(textOf).join(separator);
}

/** The statements of a role's policies, by the policies' names: `ACTION RESOURCE`, and the condition if there is one. */
export function rightsOf(template: Template, role: string): Record<string, string[]> {
  interface Statement {
    Effect: string;
    Action: string | string[];
    Resource: unknown;
    Condition?: object;
  }
  interface Policy {
    PolicyName: string;
    PolicyDocument: { Statement: Statement[] };
  }
  const list = <Item>(value: Item | Item[]) => (Array.isArray(value) ? value : [value]);
  const roles = Object.entries(template.findResources('AWS::IAM::Role'));
  const [, { Properties }] = roles.find(([id]) => id.replace(/[0-9A-F]{8}$/, '') === role)!;
  expect(Properties.ManagedPolicyArns).toBeUndefined();
  template.resourceCountIs('AWS::IAM::Policy', 0);
  return Object.fromEntries(
    (Properties.Policies as Policy[]).map(({ PolicyName, PolicyDocument }) => [
      PolicyName,
      PolicyDocument.Statement.flatMap(({ Effect, Action, Resource, Condition }) => {
        expect(Effect).toBe('Allow');
        const condition = Condition ? ` if ${JSON.stringify(Condition)}` : '';
        return list(Action).flatMap((action) =>
          list(Resource).map((resource) => `${action} ${textOf(resource)}${condition}`),
        );
      }).sort(),
    ]),
  );
}
