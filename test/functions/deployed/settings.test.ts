import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { bootstrapBucket, readSettings } from '../../../functions/deployed/settings.ts';
import { readContext } from '../../../infra/cdk-app.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const file = join(folder, 'cdk.json');
const digest = (character: string) => character.repeat(64);

const context = {
  stack: 'docs',
  index: 'build/docs',
  functionName: 'docs-search',
  collections: { hr: 'build/hr' },
  apiKeys: { test: digest('a') },
  memorySize: 1024,
  stages: {
    prod: { apiKeys: { chatbot: digest('b') }, memorySize: 2048, domainName: 'search.example.com' },
    demo: { stack: 'demo', auth: 'none', index: 'build/demo' },
  },
};
const read = (settings: object) =>
  readContext(new App({ context: settings as Record<string, unknown>, outdir: folder }).node);

describe('cdk.json', () => {
  const write = (text: string) => {
    writeFileSync(file, text);
    return file;
  };
  const written = () => write(JSON.stringify({ app: 'x', context }));

  test('names stack, function, index and collections for commands', () => {
    expect(readSettings(undefined, written())).toEqual({
      stack: 'docs',
      functionName: 'docs-search',
      index: 'build/docs',
      collections: { hr: 'build/hr' },
      store: 'bundle',
      documents: false,
      auth: 'api-key',
      apiKeys: context.apiKeys,
      reservedConcurrency: 'none',
      provisionedConcurrency: 0,
    });
  });

  test('has a stage with another stack and function', () => {
    expect(readSettings('prod', written())).toMatchObject({ stack: 'docs-prod', functionName: 'docs-prod' });
    expect(readSettings('demo', written())).toMatchObject({
      functionName: 'demo',
      index: 'build/demo',
      auth: 'none',
      apiKeys: {},
    });
    const chosen = write(JSON.stringify({ context: { ...context, stage: 'prod' } }));
    expect(readSettings(undefined, chosen).stack).toBe('docs-prod');
  });

  test('names the documents and the store', () => {
    const read = (settings: object) => readSettings(undefined, write(JSON.stringify({ context: settings })));
    expect(read({ documents: true })).toMatchObject({ documents: true, store: 'bundle' });
    expect(read({ documents: 's3://docs/a', store: 's3vectors' })).toMatchObject({
      documents: 's3://docs/a',
      store: 's3vectors',
    });
  });

  test('is not needed', () => {
    expect(readSettings(undefined, join(folder, 'none.json'))).toEqual({
      stack: 'polyseek',
      functionName: 'polyseek',
      index: '.polyseek/index',
      collections: {},
      store: 'bundle',
      documents: false,
      auth: 'api-key',
      apiKeys: {},
      reservedConcurrency: 'none',
      provisionedConcurrency: 0,
    });
  });

  test('names the profile, which is outside the context, and the concurrent runs', () => {
    const file = write(
      JSON.stringify({ profile: 'test', context: { auth: 'none', provisionedConcurrency: 2 } }),
    );
    expect(readSettings(undefined, file)).toMatchObject({
      profile: 'test',
      reservedConcurrency: 5,
      provisionedConcurrency: 2,
    });
  });

  test('is refused with a sentence', () => {
    expect(() => readSettings('test', written())).toThrow(
      'No stage "test" in stages of cdk.json. Stages: prod, demo.',
    );
    expect(() => readSettings('toString', written())).toThrow('No stage "toString"');
    expect(() => readSettings('prod', join(folder, 'none.json'))).toThrow('No stage "prod"');
    expect(() => readSettings(undefined, write('{'))).toThrow(/cdk\.json is not valid JSON/);
    expect(() => readSettings(undefined, write('[]'))).toThrow('has no object of settings under context');
  });
});

describe('context', () => {
  test('reads text from -c, and values from cdk.json', () => {
    const settings = {
      memorySize: 1024,
      logQuestions: true,
      page: false,
      cors: ['https://a.example', 'https://b.example'],
      reservedConcurrency: 'none',
      auth: 'iam',
    };
    const text = {
      memorySize: '1024',
      logQuestions: 'true',
      page: 'false',
      cors: 'https://a.example, https://b.example',
      reservedConcurrency: 'none',
      auth: 'iam',
    };
    expect(read(text)).toEqual({ stack: 'polyseek', settings });
    expect(read(settings)).toEqual(read(text));
    expect(read({ stack: 'docs', index: 'build/docs' })).toEqual({
      stack: 'docs',
      settings: { index: 'build/docs' },
    });
  });

  test('replaces settings by those of the stage, which shares neither keys nor the name of a function', () => {
    const { stages, stack, functionName, apiKeys, ...shared } = context;
    expect(read(context)).toEqual({ stack, settings: { ...shared, functionName, apiKeys } });
    expect(read({ ...context, stage: 'prod' })).toEqual({
      stack: 'docs-prod',
      settings: { ...shared, ...stages.prod },
    });
    const demo = { auth: 'none', index: 'build/demo' };
    expect(read({ ...context, stage: 'demo' })).toEqual({ stack: 'demo', settings: { ...shared, ...demo } });
    expect(() => read({ ...context, stage: 'test' })).toThrow('No stage "test"');
    expect(() => read({ stage: 'test' })).toThrow('No stage "test" in stages of cdk.json. Add it there.');
  });

  test('refuses unknown settings, but not those of CDK', () => {
    expect(() => read({ atuh: 'none' })).toThrow(
      'Unknown setting atuh in the context. Settings: stack, stage, stages, index, collections,',
    );
    expect(() => read({ stage: 'a', stages: { a: { memroy: 1 } } })).toThrow('Unknown setting memroy');
    const own = { 'aws:cdk:x': 1, '@aws-cdk/core:x': true, 'cli-telemetry': false, 'ami:account=1:x': 'y' };
    expect(read(own).settings).toEqual({});
  });
});

test('the bucket for uploads has the qualifier of cdk.json', () => {
  const file = join(temporaryFolder(), 'cdk.json');
  writeFileSync(file, JSON.stringify({ context: { '@aws-cdk/core:bootstrapQualifier': 'mine' } }));
  const { bootstrapQualifier } = readSettings(undefined, file);
  expect(bootstrapBucket('123456789012', 'eu-central-1', bootstrapQualifier)).toBe(
    'cdk-mine-assets-123456789012-eu-central-1',
  );
});
