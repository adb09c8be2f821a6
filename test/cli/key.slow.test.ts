import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addKey, type NewKey, newKey } from '../../cli/key.ts';
import { createApp } from '../../functions/search/app.ts';
import { readApiKeys } from '../../functions/search/auth.ts';
import { checkEnvironment } from '../../infra/function-environment.ts';
import { POLYSEEK } from '../fixtures/bundle-cli.ts';
import { temporaryFolder } from '../fixtures/index.ts';
import { finished, type Outcome } from '../fixtures/processes.ts';
import { runs } from '../fixtures/runs.ts';
import { request } from '../functions/search/ask.ts';
import { SearchDouble } from '../functions/search/search-double.ts';

const digest = 'ab'.repeat(32);
const folder = temporaryFolder();
const file = join(folder, 'cdk.json');

/** Runs the command in the temporary folder. */
function key(args: string[]): Promise<Outcome> {
  return finished(
    spawn(process.execPath, [POLYSEEK, 'key', ...args], {
      cwd: folder,
    }),
  );
}

const config = `{
  "app": "node app.ts",
  "watch": { "include": ["**"] },
  "context": {
    "@aws-cdk/core:target-partitions": ["aws", "aws-cn"],
    "auth": "api-key"
  }
}
`;

describe('npx polyseek key', () => {
  test('prints a key once and saves its digest, and the endpoint accepts the key', async () => {
    writeFileSync(file, config);
    const first = await key(['chatbot']);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/^ps_[\w-]{43}\n$/);
    expect(first.stderr).toBe(
      'Save this key now: cdk.json contains only its digest. Send it in the header x-api-key, or as Authorization: Bearer KEY. It works after the next npx polyseek deploy.\n',
    );
    const second = await key(['web-shop_2', '--file', 'cdk.json']);
    const sha256 = ({ stdout }: Outcome) => createHash('sha256').update(stdout.trim()).digest('hex');
    const text = readFileSync(file, 'utf8');
    const apiKeys = { chatbot: sha256(first), 'web-shop_2': sha256(second) };
    const { context, ...rest } = JSON.parse(config);
    expect(JSON.parse(text)).toEqual({ ...rest, context: { ...context, apiKeys } });
    expect(readdirSync(folder)).toEqual(['cdk.json']);

    const app = createApp(new SearchDouble(), {
      apiKeys: readApiKeys(JSON.stringify(apiKeys)),
      log: () => {},
    });
    for (const { stdout } of [first, second]) {
      const headers = { 'x-api-key': stdout.trim() };
      expect((await request(app, '/search?q=x', { headers })).status).toBe(200);
    }
  });

  test('prints a key and its digest as JSON', async () => {
    writeFileSync(file, config);
    const { code, stdout } = await key(['chatbot', '--json']);
    const made = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(made).toEqual({
      name: 'chatbot',
      key: expect.stringMatching(/^ps_[\w-]{43}$/),
      digest: createHash('sha256').update(made.key).digest('hex'),
    });
    expect(JSON.parse(readFileSync(file, 'utf8')).context.apiKeys).toEqual({ chatbot: made.digest });
  });

  test('creates a browser key, which the endpoint accepts from its pages only', async () => {
    writeFileSync(file, config.replace('"auth"', '"collections": { "hr": "hr-index" },\n    "auth"'));
    const origins = ['https://www.example.com', 'http://localhost:3000'];
    const flags = ['--origin', 'https://WWW.example.com/', '--origin', origins[1]!, '--collection', 'hr'];
    const { code, stdout, stderr } = await key(['website', ...flags, '--json']);
    expect(code).toBe(0);
    expect(stderr).toContain(
      `This is a browser key, for pages of ${origins.join(', ')}. cdk.json contains only`,
    );
    expect(stderr).toContain('Everyone can read it in the page. It can only search');
    const made = JSON.parse(stdout);
    expect(made).toEqual({
      name: 'website',
      key: expect.stringMatching(/^psb_[\w-]{43}$/),
      digest: createHash('sha256').update(made.key).digest('hex'),
      origins,
      collections: ['hr'],
    });
    const { apiKeys } = JSON.parse(readFileSync(file, 'utf8')).context;
    expect(apiKeys).toEqual({ website: { sha256: made.digest, origins, collections: ['hr'] } });

    const app = createApp(new SearchDouble(), {
      apiKeys: readApiKeys(JSON.stringify(apiKeys)),
      collections: new Map([['hr', async () => new SearchDouble()]]),
      log: () => {},
    });
    const path = '/browser/c/hr/search?q=x';
    for (const [origin, status] of [
      [origins[0]!, 200],
      [origins[1]!, 200],
      ['https://evil.example', 403],
    ] as const) {
      const headers = { 'x-api-key': made.key, origin };
      expect((await request(app, path, { headers })).status).toBe(status);
    }
  });

  test('adds a key to a stage', async () => {
    const stages = '"stages": { "prod": { "memory": 3008 }, "test": {} }';
    writeFileSync(file, config.replace('"auth"', `${stages},\n    "auth"`));
    const { code, stdout, stderr } = await key(['chatbot', '--stage', 'prod', '--json']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('npx polyseek deploy --stage prod.')]);
    const { digest: made, stage } = JSON.parse(stdout);
    expect(stage).toBe('prod');
    const { context } = JSON.parse(readFileSync(file, 'utf8'));
    expect(context.stages).toEqual({ prod: { memory: 3008, apiKeys: { chatbot: made } }, test: {} });
    expect(context).not.toHaveProperty('apiKeys');
    // The same name may have another key in another stage.
    expect((await key(['chatbot', '--stage', 'test'])).code).toBe(0);
    expect((await key(['chatbot'])).code).toBe(0);
    const again = await key(['chatbot', '--stage', 'prod']);
    expect(again).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('A key "chatbot" already exists.'),
    });
    expect(again.stderr).toContain('delete "chatbot" from context.stages.prod.apiKeys of cdk.json');
  });

  test.each([
    'https://www.example.com/path',
    'www.example.com',
    '*',
    'ftp://a.example',
    'https://a@b.example',
    '',
  ])('refuses the origin "%s"', async (origin) => {
    expect(await key(['a', `--origin=${origin}`])).toEqual({
      code: 2,
      stdout: '',
      stderr: `--origin is ${JSON.stringify(origin)}, but must be an origin such as https://www.example.com, without a path.\n`,
    });
  });

  test.each<[string, string[], string]>([
    [
      'an existing name',
      ['chatbot'],
      'A key "chatbot" already exists. To rotate it: create a key with a new name, deploy, switch the callers, delete "chatbot" from context.apiKeys of cdk.json, and deploy again.\n',
    ],
    [
      'an invalid name',
      ['a b'],
      'Wrong name "a b": expected 1 to 32 of the characters A-Z, a-z, 0-9, _ and -.\n',
    ],
    [
      'a missing file',
      ['a', '--file', 'none.json'],
      'none.json does not exist. Run this command in the folder of cdk.json, or pass its path with --file.\n',
    ],
    ['a missing name', [], 'Missing argument: name. Example: npx polyseek key chatbot > chatbot.key\n'],
  ])('refuses %s, and does not change the file', async (_, args, stderr) => {
    const text = config.replace('"auth"', `"apiKeys": { "chatbot": "${digest}" },\n    "auth"`);
    writeFileSync(file, text);
    expect(await key(args)).toEqual({ code: args.length > 0 ? 1 : 2, stdout: '', stderr });
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(readdirSync(folder)).toEqual(['cdk.json']);
  });
});

describe('a key added to cdk.json', () => {
  test('does not change other lines', () => {
    const text = `{
  "app": "node app.ts",
  "context": {
    "auth": "api-key",
    "apiKeys": {
      "old": "${digest}"
    },
    "empty": [],
    "partitions": ["aws", "aws-cn"],
    "long": [
      "${'a'.repeat(60)}",
      "${'b'.repeat(60)}"
    ],
    "nested": [
      {
        "list": ["[", "{", " \\n ]"]
      }
    ]
  }
}
`;
    const line = `      "old": "${digest}"`;
    const added = text.replace(line, `${line},\n      "new": "${'0'.repeat(64)}"`);
    // Lists stay on several lines if their text contains brackets.
    const apart = added.replace(
      '["[", "{", " \\n ]"]',
      '[\n          "[",\n          "{",\n          " \\n ]"\n        ]',
    );
    expect(addKey(text, 'cdk.json', { name: 'new', digest: '0'.repeat(64) })).toBe(apart);
  });

  test('keeps every value of any cdk.json', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(
        object,
        object,
        fc.oneof(fc.stringMatching(/^[\w-]{1,32}$/), fc.constant('__proto__')),
        (rest, context, name) => {
          const { apiKeys: _, ...own } = context;
          const before = { ...rest, context: own };
          const after = JSON.parse(addKey(JSON.stringify(before), 'cdk.json', { name, digest }));
          expect(Object.entries(after.context.apiKeys)).toEqual([[name, digest]]);
          delete after.context.apiKeys;
          expect(after).toEqual(JSON.parse(JSON.stringify(before)));
        },
      ),
      { numRuns: runs(500) },
    );
  });

  const format =
    'but must be an object of names and SHA-256 digests (64 lowercase hexadecimal digits). Add keys with npx polyseek key NAME.';
  test.each([
    ['', 'cdk.json is not valid JSON. Repair it first.'],
    ['{"a":', 'cdk.json is not valid JSON. Repair it first.'],
    ['[]', 'cdk.json is not a JSON object. Repair it first.'],
    ['null', 'cdk.json is not a JSON object. Repair it first.'],
    ['{"context":"x"}', 'context of cdk.json is not a JSON object. Repair it first.'],
    ['{"context":{"apiKeys":[]}}', `context.apiKeys of cdk.json is not an object, ${format}`],
    [
      '{"context":{"apiKeys":{"a":"ps_x"}}}',
      `context.apiKeys of cdk.json has no digest under "a", ${format}`,
    ],
  ])('is refused in %j', (text, sentence) => {
    expect(() => addKey(text, 'cdk.json', { name: 'new', digest })).toThrow(new Error(sentence));
  });

  test.each<[object, Partial<NewKey>, string]>([
    [{}, { stage: 'prod' }, 'cdk.json has no stage "prod". Add it as "stages": {"prod": {}} in context.'],
    [
      { stages: { prod: {}, test: {} } },
      { stage: 'prd' },
      'cdk.json has no stage "prd". Stages: prod, test.',
    ],
    [{ stages: { prod: {} } }, { stage: '__proto__' }, 'cdk.json has no stage "__proto__". Stages: prod.'],
    [{ stages: [] }, { stage: 'prod' }, 'context.stages of cdk.json is not a JSON object. Repair it first.'],
    [
      { stages: { prod: 5 } },
      { stage: 'prod' },
      'context.stages.prod of cdk.json is not a JSON object. Repair it first.',
    ],
    [
      {},
      { collections: ['hr'] },
      'cdk.json has no collection "hr". Add it as "collections": {"hr": "FOLDER"} in context.',
    ],
    [
      { collections: { hr: 'a' }, stages: { prod: { collections: { law: 'b' } } } },
      { collections: ['hr', 'law', 'it'], stage: 'prod' },
      'cdk.json has no collection "it". Collections: hr, law.',
    ],
    [
      { collections: { hr: 'a' }, stages: { prod: { collections: { law: 'b' } } } },
      { collections: ['law'] },
      'cdk.json has no collection "law". Collections: hr.',
    ],
  ])('is refused with the settings %j and %j', (context, options, sentence) => {
    const text = JSON.stringify({ context });
    expect(() => addKey(text, 'cdk.json', { name: 'new', digest, ...options })).toThrow(new Error(sentence));
  });

  test('fits into the environment of a function as long as Lambda accepts it', () => {
    const name = (i: number) => `${i}`.padStart(32, 'n');
    let text = '{}';
    let error: unknown;
    let count = 0;
    while (!error) {
      try {
        text = addKey(text, 'cdk.json', { name: name(count), digest });
        count++;
      } catch (caught) {
        error = caught;
      }
    }
    // Lambda measures the environment as JSON, with escaped quotes.
    const API_KEYS = JSON.stringify(JSON.parse(text).context.apiKeys);
    const bytes = JSON.stringify({ API_KEYS }).length;
    expect([count, bytes]).toEqual([38, 4044]);
    expect(error).toEqual(
      new Error(
        "The function's environment has 4150 bytes, but Lambda's limit is 4096 (API_KEYS 4150). Delete unused API keys, or shorten the lists of origins.",
      ),
    );
    checkEnvironment({ API_KEYS, PAGE: '0', CORS_ORIGINS: 'x'.repeat(23) });
    expect(() => checkEnvironment({ API_KEYS, PAGE: '0', CORS_ORIGINS: 'é'.repeat(12) })).toThrow(
      /^The function's environment has 4097 bytes, .* \(API_KEYS 4044, CORS_ORIGINS 43, PAGE 12\)\./,
    );
  });

  test('is unique', () => {
    expect(new Set(Array.from({ length: 1000 }, () => newKey(false))).size).toBe(1000);
  });
});
