import { App } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { readContext, readProps, requireApiKey, type SemanticSearchProps } from '../../infra/props.ts';
import { temporaryFolder } from '../fixtures/index.ts';

const outdir = temporaryFolder();
const keys = { apiKeys: { chatbot: '0'.repeat(64) } };

test('defaults', () => {
  expect(readProps(keys)).toEqual({
    ...keys,
    folder: '.polyseek/function',
    architecture: 'x86_64',
    memory: 1769,
    timeout: 10,
    auth: 'api-key',
    jwtAudience: [],
    cors: [],
    throttleRate: 50,
    throttleBurst: 100,
    reservedConcurrency: 'none',
    logRetention: 30,
    logQuestions: false,
    page: true,
  });
});

test('an open endpoint has lower limits by default', () => {
  const open = readProps({ auth: 'none' });
  expect(open).toMatchObject({ throttleRate: 5, throttleBurst: 10, reservedConcurrency: 5 });
  const limits = { throttleRate: 20, throttleBurst: 30, reservedConcurrency: 'none' } as const;
  expect(readProps({ auth: 'none', ...limits })).toMatchObject(limits);
});

const wrong: [object, string][] = [
  [{ memory: 64 }, 'memory is 64, but must be a whole number from 256 to 10240.'],
  [{ memory: 'much' }, 'memory is "much", but must be a whole number from 256 to 10240.'],
  [{ timeout: 30 }, 'timeout is 30, but must be a whole number from 1 to 29.'],
  [{ timeout: 1.5 }, 'timeout is 1.5, but must be a whole number from 1 to 29.'],
  [{ architecture: 'arm' }, 'architecture is "arm", but must be one of x86_64, arm64.'],
  [{ auth: 'key' }, 'auth is "key", but must be one of none, api-key, iam, jwt.'],
  [
    { apiKeys: { chatbot: 'secret' } },
    'apiKeys has no digest under "chatbot", but must be an object of names',
  ],
  [{ apiKeys: { 'a b': '0'.repeat(64) } }, 'apiKeys has a name that is not 1 to 32 of'],
  [{ apiKeys: 'x' }, 'apiKeys is not an object, but must be'],
  [{ auth: 'jwt' }, 'auth is jwt, but jwtIssuer or jwtAudience is missing. Set both.'],
  [
    { auth: 'jwt', jwtIssuer: 'http://id.example.com', jwtAudience: ['a'] },
    'an address that begins with https://',
  ],
  [{ cors: ['example.com'] }, 'cors is ["example.com"], but must be * or a list of origins such as'],
  [{ cors: ['https://example.com/path'] }, 'without a path.'],
  [{ logRetention: 2 }, 'logRetention is 2, but must be one of 1, 3, 5, 7,'],
  [{ alarmEmail: 'me' }, 'alarmEmail is "me", but must be an e-mail address.'],
  [
    { reservedConcurrency: 0 },
    'reservedConcurrency is 0, but must be none or a whole number from 1 to 1000.',
  ],
  [{ throttleRate: 0 }, 'throttleRate is 0, but must be a whole number from 1 to 10000.'],
  [{ functionName: 'a b' }, 'functionName is "a b", but must be 1 to 64 letters, digits, _ or -.'],
  [{ memroy: 512 }, 'Unknown setting memroy. Settings: folder, architecture, memory,'],
];

test.each(wrong)('refuses %j with a sentence', (props, sentence) => {
  expect(() => readProps({ ...keys, ...props })).toThrow(sentence);
});

test('an endpoint with auth api-key requires a key for deploying, but not for reading its settings', () => {
  expect(() => requireApiKey(readProps({}))).toThrow(
    'auth is api-key, but there is no API key. Create one with npx polyseek key NAME, or choose -c auth=none, iam or jwt.',
  );
  for (const props of [keys, { auth: 'none' } as const, { auth: 'iam' } as const])
    expect(() => requireApiKey(readProps(props))).not.toThrow();
});

test('every wrong value has its own sentence', () => {
  const props = { memory: 1, timeout: 99, ...keys };
  expect(() => readProps(props)).toThrow(/^memory is 1, .*\. timeout is 99, .*\.$/);
});

describe('context', () => {
  const read = (context: Record<string, unknown>) => readContext(new App({ context, outdir }).node);

  test('reads text from -c, and values from cdk.json', () => {
    const props: SemanticSearchProps = {
      memory: 1024,
      logQuestions: true,
      page: false,
      cors: ['https://a.example', 'https://b.example'],
      reservedConcurrency: 'none',
      auth: 'iam',
    };
    const text = {
      memory: '1024',
      logQuestions: 'true',
      page: 'false',
      cors: 'https://a.example, https://b.example',
      reservedConcurrency: 'none',
      auth: 'iam',
    };
    expect(read(text)).toEqual({ stack: 'polyseek', index: '.polyseek/index', props });
    expect(read({ ...props })).toEqual(read(text));
    expect(read({ stack: 'docs', index: 'build/docs' })).toEqual({
      stack: 'docs',
      index: 'build/docs',
      props: {},
    });
  });

  test('refuses unknown settings, but not those of CDK', () => {
    expect(() => read({ atuh: 'none' })).toThrow(
      'Unknown setting atuh in the context. Settings: stack, index, folder,',
    );
    const own = { 'aws:cdk:x': 1, '@aws-cdk/core:x': true, 'cli-telemetry': false, 'ami:account=1:x': 'y' };
    expect(read(own).props).toEqual({});
  });
});
