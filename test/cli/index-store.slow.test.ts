import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { POLYSEEK } from '../fixtures/bundle-cli.ts';
import { SMALL_MODEL, smallModel, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { command, finished, type Outcome } from '../fixtures/processes.ts';
import { type S3Vectors, startS3Vectors } from '../fixtures/s3-vectors.ts';

const ADDRESS = 's3vectors://docs-bucket/passages';
const QUESTION = 'How many years does the warranty last?';

let aws: S3Vectors;
/** Answers for the configuration of the function `polyseek`, as Lambda does. */
const lambda = createServer((request, response) => {
  const known = request.url === '/2015-03-31/functions/polyseek/configuration';
  const variables = { INDEX: ADDRESS };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ Environment: { Variables: known ? variables : {} } }));
});
beforeAll(async () => {
  aws = await startS3Vectors();
  await aws.createIndex('docs-bucket', 'passages', smallModel().model.dimensions);
  await new Promise<void>((resolve) => lambda.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  lambda.close();
  await aws.stop();
});

const folder = temporaryFolder();
const docs = join(folder, 'docs');

function run(name: string, ...args: string[]): Promise<Outcome> {
  const url = `http://127.0.0.1:${(lambda.address() as AddressInfo).port}`;
  return command(name, args, undefined, { ...aws.env, AWS_ENDPOINT_URL_LAMBDA: url }, folder);
}

async function json<T>(name: string, ...args: string[]): Promise<T> {
  const { stdout, stderr, code } = await run(name, ...args, '--json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout);
}

const settings = (context: object) => writeFileSync(join(folder, 'cdk.json'), JSON.stringify({ context }));
const uploaded = () =>
  aws.calls
    .filter(({ operation }) => operation === 'PutVectors')
    .reduce((sum, { vectors }) => sum + vectors, 0);

interface Answer {
  results: { id: string; text: string; confidence: number }[];
}

test('index publishes to S3 Vectors, uploads only changes, and brings the same index back', {
  timeout: 600_000,
}, async () => {
  mkdirSync(docs);
  writeFileSync(join(folder, 'polyseek.config.json'), JSON.stringify({ model: SMALL_MODEL }));
  writeFileSync(
    join(docs, 'warranty.md'),
    '# Warranty\n\nThe warranty lasts three years after you buy a bicycle.\n',
  );
  writeFileSync(join(docs, 'brakes.md'), '# Brakes\n\nCheck both brakes before each ride.\n');
  writeFileSync(join(docs, 'tyres.md'), '# Tyres\n\nPump up the tyres once a month.\n');
  writeFileSync(join(docs, 'chain.md'), '# Chain\n\nOil the chain after a ride in the rain.\n');
  const first = await json<{ published: object; bytes: object }>('index', 'docs', '--to', ADDRESS);
  expect(first.published).toMatchObject({
    status: 'published',
    address: ADDRESS,
    generation: 1,
    passages: 4,
    uploaded: 4,
    kept: 0,
    removed: 0,
  });
  expect(Object.keys(first.bytes)).toContain('manifest.json');

  // From here on, the settings and the deployed function name the store and the address.
  settings({ store: 's3vectors' });
  writeFileSync(join(docs, 'brakes.md'), '# Brakes\n\nCheck both brakes before each long ride.\n');
  aws.calls.length = 0;
  const { stdout } = await run('index', 'docs');
  expect(stdout).toMatch(
    /s3vectors:\/\/docs-bucket\/passages: generation 2 is current\. 1 passage uploaded \(.*\), 3 kept, 1 removed\./,
  );
  expect(uploaded()).toBe(1);
  expect(await json('index')).toMatchObject({ published: { status: 'unchanged', generation: 2 } });

  const ask = async (index: string): Promise<Answer> =>
    JSON.parse((await run('search', QUESTION, '--index', index, '--json')).stdout);
  const before = await ask('.polyseek/index');
  const remote = await ask(ADDRESS);
  const back = await json('index', '--store', 'bundle', '--index', 'back');
  expect(back).toMatchObject({ index: 'back', from: ADDRESS, counts: { passages: 4 } });
  const after = await ask('back');
  expect(before.results[0]!.text).toContain('three years');
  for (const { results } of [remote, after]) {
    expect(results.map(({ id }) => id)).toEqual(before.results.map(({ id }) => id));
    results.forEach(({ confidence }, i) => {
      expect(confidence).toBeCloseTo(before.results[i]!.confidence, 2);
    });
  }
  for (const name of ['passages.bin', 'sentences.bin', 'tokens.bin', 'languages.bin', 'lookup.bin'])
    expect(readFileSync(join(folder, 'back', name))).toEqual(
      readFileSync(join(folder, '.polyseek/index', name)),
    );

  expect((await run('versions')).stdout).toMatch(/^generation +current +index .*\n2 +current .*\n1 +\S+ +4 /);
  expect((await run('rollback')).stdout).toBe('Generation 1 is current (was 2).\n');
  // No document answers it for sure, so the exit code is 4.
  const { stdout: answer } = await run('search', 'brakes', '--index', ADDRESS, '--json');
  expect(answer).toContain('Check both brakes');
  expect(answer).not.toContain('long ride');
  expect(await json('prune', '--dry-run')).toMatchObject({ dryRun: true, deleted: [], kept: [2, 1] });
  expect((await run('prune')).stdout).toBe(`${ADDRESS}: nothing to delete. Kept generations 2, 1.\n`);
});

test('index stops after the running requests on an interrupt, and continues later', {
  timeout: 600_000,
}, async () => {
  await aws.createIndex('large-bucket', 'passages', smallModel().model.dimensions);
  writeRandomIndex(join(folder, 'large'), 2600);
  const args = ['--index', 'large', '--to', 's3vectors://large-bucket', '--store', 's3vectors'];
  const program = [POLYSEEK, 'index', ...args];
  const child = spawn(process.execPath, program, { cwd: folder, env: { ...process.env, ...aws.env } });
  aws.calls.length = 0;
  aws.before('PutVectors', () => child.kill('SIGINT'));
  const { code, stdout, stderr } = await finished(child);
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(stderr).toContain(
    'Interrupted. Searches still use the index of before. Run the command again to continue',
  );
  const before = uploaded();
  expect(before).toBeGreaterThanOrEqual(500);
  expect(before).toBeLessThan(2600);
  expect(await json('index', ...args)).toMatchObject({ published: { status: 'published', passages: 2600 } });
  expect(uploaded()).toBe(2600);
});

test('index says what to do if the address or the stack is missing', { timeout: 600_000 }, async () => {
  settings({});
  const [wrong, missing, bundled] = await Promise.all([
    run('index', docs, '--to', 's3vectors://Docs'),
    run('index', docs, '--to', 's3vectors://no-such-bucket'),
    run('index', docs, '--store', 's3vectors', '--function', 'other'),
  ]);
  expect(wrong.stderr).toContain('s3vectors://Docs is not an address of an index');
  expect(missing.stderr).toContain('Deploy the stack with "store": "s3vectors" first');
  expect(bundled.stderr).toContain(
    'The function other has its index in its own package. Deploy it with "store": "s3vectors"',
  );
  for (const { code } of [wrong, missing, bundled]) expect(code).toBe(1);
});
