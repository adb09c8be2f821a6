import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { moveAlias, type Remote, readAlias } from '../../../functions/deployed/connect.ts';
import { promote, push } from '../../../functions/deployed/push.ts';
import { rollback } from '../../../functions/deployed/rollback.ts';
import { chooseProbes, type Probe, smoke } from '../../../functions/deployed/smoke.ts';
import { describeVersion, type IndexSummary } from '../../../functions/deployed/version-description.ts';
import { listVersions, type Versions, versionTable } from '../../../functions/deployed/versions.ts';
import { zipFolder } from '../../../functions/deployed/zip.ts';
import { packageFunction } from '../../../functions/package/package-function.ts';
import type { Manifest } from '../../../index/format/manifest.ts';
import { Passages } from '../../../index/format/passages-file.ts';
import { openLocal } from '../../../index/ingest/open-local.ts';
import { type Aws, startAws } from '../../fixtures/aws.ts';
import { createBucket, createRole } from '../../fixtures/aws-setup.ts';
import { buildTopics, root, temporaryFolder } from '../../fixtures/index.ts';
import { finished, type Outcome } from '../../fixtures/processes.ts';
import { missingTools } from '../../fixtures/tools.ts';

const FunctionName = 'polyseek';
const BUCKET = 'cdk-hnb659fds-assets-123456789012-eu-central-1';
const QUESTION = 'How often does the light of the Korvane lighthouse flash?';
const UNANSWERABLE = 'Who won the football world cup in 1974?';
const refusal = (name: string, status = 400) => ({ name, status, message: 'No.' });

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric'))('a deployed function', () => {
  const folder = temporaryFolder();
  const [first, second] = [join(folder, 'first'), join(folder, 'second')];
  const zips = new Map<string, Uint8Array>();
  const held = new Map<string, IndexSummary>();
  let aws: Aws;

  const start = (args: string[], env: Record<string, string | undefined> = {}) => {
    // Without --function, search asks the local index.
    const direct = args[0] === 'search' && !args.includes('--function') ? ['--function', FunctionName] : [];
    const command = ['--import', 'tsx', 'cli/polyseek.ts', ...args, ...direct];
    return spawn(process.execPath, command, {
      cwd: root,
      env: { PATH: process.env.PATH, ...aws.env, ...env },
    });
  };
  const remote = (args: string[], env?: Record<string, string | undefined>): Promise<Outcome> =>
    finished(start(args, env));
  /** The output of a command that must succeed, without its steps. */
  async function printed(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await remote(args);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^(.+: \d+\.\d s\n)*$/);
    return stdout;
  }
  /** The error of a command that must fail, after its steps. */
  async function sentence(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await remote(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const [, error] = /^(?:.+: \d+\.\d s\n)*(.+)\n$/.exec(stderr) ?? [];
    return error!;
  }
  const versions = async () => JSON.parse(await printed('versions', '--json')) as Versions;
  const sha256 = (index: string) => createHash('sha256').update(zips.get(index)!).digest('base64');

  /** The live version, and the index of each version's code. Throws for other code. */
  async function state() {
    const { Versions = [] } = await aws.lambda.send(new ListVersionsByFunctionCommand({ FunctionName }));
    const names = new Map([first, second].map((index) => [sha256(index), index]));
    const code = Versions.map(({ Version, CodeSha256 }) => [Version!, names.get(CodeSha256!)]);
    return { live: (await versions()).live, code: Object.fromEntries(code) };
  }

  /** The answer to a question, without its times. */
  async function asked(...args: string[]) {
    const { answer, report } = JSON.parse(await printed('search', QUESTION, '--json', ...args));
    expect(report).toMatchObject({ durationMs: expect.any(Number), billedMs: expect.any(Number) });
    const { took: _, ...rest } = answer;
    return rest;
  }
  async function local(index: string) {
    const { took: _, ...rest } = await (await openLocal(index)).search({
      q: QUESTION,
      k: 3,
      mode: 'hybrid',
    });
    return rest;
  }

  const upload = (Key: string, Body: Uint8Array) =>
    aws.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  const createFunction = (name: string) =>
    aws.lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Role: 'arn:aws:iam::123456789012:role/search',
        Runtime: 'nodejs24.x',
        Handler: 'lambda.handler',
        MemorySize: 1769,
        Timeout: 10,
        Code: { S3Bucket: BUCKET, S3Key: 'first.zip' },
        // Someone's key, which these commands do not have.
        Environment: { Variables: { API_KEYS: JSON.stringify({ somebody: '0'.repeat(64) }) } },
      }),
    );

  /** The state after `cdk deploy`: version 1 contains the first index, and is live. */
  beforeAll(async () => {
    held.set(first, heldBy(await buildTopics(first, ['en'])));
    held.set(second, heldBy(await buildTopics(second, ['en', 'zh'])));
    aws = await startAws();
    await createBucket(aws, BUCKET);
    for (const index of [first, second]) {
      await packageFunction(index, join(folder, 'function'), { architecture: 'x86_64' });
      zips.set(index, zipFolder(join(folder, 'function')));
      await upload(`${basename(index)}.zip`, zips.get(index)!);
    }
    await upload('other.zip', Buffer.from('other'));
    await createRole(aws);
    await createFunction(FunctionName);
    const Description = describeVersion(held.get(first)!);
    await aws.lambda.send(new PublishVersionCommand({ FunctionName, Description }));
    await aws.lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }));
  });
  afterAll(() => aws.stop());

  test('is asked a question', async () => {
    const cold = await printed('search', QUESTION);
    expect(cold).toMatch(/^1\. .*Korvane lighthouse .*\[en\] confidence \d\.\d\d/);
    expect(cold).toMatch(
      /\n\nLambda: [\d.]+ ms, billed \d+ ms, memory \d+ MB, cold start with an init of [\d.]+ ms\n$/,
    );
    expect(await printed('search', QUESTION)).toMatch(
      /\n\nLambda: [\d.]+ ms, billed \d+ ms, memory \d+ MB\n$/,
    );
    expect(await asked()).toEqual(await local(first));
  });

  test('is asked with the flags of search, and the exit code reports empty results', async () => {
    const flags = [
      '-k',
      '30',
      '--mode',
      'lexical',
      '--context',
      '1',
      '--explain',
      '--min-confidence',
      '0.01',
    ];
    const filters = ['--lang', 'de', '--lang', 'en', '--filter', 'number=1', '--filter', 'number=2'];
    const { took: _, ...expected } = await (await openLocal(first)).search({
      q: QUESTION,
      k: 30,
      mode: 'lexical',
      context: 1,
      explain: true,
      minConfidence: 0.01,
      filter: { lang: ['de', 'en'], number: [1, 2] },
    });
    expect(expected.results.length).toBeGreaterThan(0);
    expect(await asked('--qualifier', '1', ...flags, ...filters)).toEqual(expected);

    const missed = await remote(['search', UNANSWERABLE, '-k', '1']);
    expect(missed).toMatchObject({ code: 3, stderr: '' });
    expect(missed.stdout).toMatch(/^No answer found\. The closest passages:\n\n1\. .*\n\nLambda: [^\n]+\n$/s);
    const none = await remote(['search', QUESTION, '--lang', 'zh', '--json']);
    expect(none.code).toBe(3);
    expect(JSON.parse(none.stdout)).toMatchObject({ answer: { answered: false, results: [] } });
  });

  test('is not updated by a push without changes', async () => {
    expect(await printed('push', '--index', first)).toBe(
      'Nothing to push: version 1, which is live, has the same code.\n',
    );
    expect(await state()).toEqual({ live: '1', code: { $LATEST: first, 1: first } });
  });

  test('does not change if the smoke test fails', async () => {
    const error = await sentence('push', '--index', second, '--ask', QUESTION, '--ask', UNANSWERABLE);
    expect(error).toMatch(
      /^"Who won the football world cup in 1974\?" has no answer\. Closest passage: ".*" \(.*\), confidence 0\.\d\d\. Version 1 stays live; version 2 was deleted\.$/,
    );
    expect(await state()).toEqual({ live: '1', code: { $LATEST: first, 1: first } });
  });

  test('gets a changed index', async () => {
    const { code, stdout, stderr } = await remote(['push', '--index', second, '--ask', QUESTION]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Version 2 of polyseek is live (${describeVersion(held.get(second)!)}). Before: version 1.\n`,
    });
    const steps = stderr
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/: \d+\.\d s$/, ''));
    const key = Buffer.from(sha256(second), 'base64').toString('hex');
    expect(steps).toEqual([
      `package ${second} for x86_64`,
      'choose questions for the smoke test',
      `upload to ${BUCKET}/polyseek/${key}.zip`,
      'update the code of $LATEST',
      'publish a version',
      'wait for version 2',
      'smoke test of version 2',
      'move live to version 2',
    ]);
    expect(await state()).toEqual({ live: '2', code: { $LATEST: second, 1: first, 2: second } });
    expect(await asked()).toEqual(await local(second));
    expect(await asked('--qualifier', '1')).toEqual(await local(first));
  });

  test('is tested with passages of its own index', async () => {
    const target: Remote = { functionName: FunctionName, ...aws, step: (_, run) => run() };
    const probes = await chooseProbes(second);
    const passages = new Passages(join(second, 'passages.bin'));
    const parts = probes.map(({ question, id }) => {
      const ordinal = Array.from({ length: passages.count }, (_, i) => i).find(
        (i) => passages.get(i).id === id,
      )!;
      expect(passages.get(ordinal).text).toContain(question);
      return Math.floor((3 * ordinal) / passages.count);
    });
    expect(parts).toEqual([0, 1, 2]);
    const { version } = held.get(second)!;
    await smoke(target, '2', version, probes, [QUESTION]);
    await expect(smoke(target, '1', version, [], [])).rejects.toThrow(
      `GET /health reports index ${held.get(first)!.version}, but ${version} was pushed.`,
    );
    // The index contains other passages, but not this one.
    const [{ question }] = probes as [Probe];
    await expect(smoke(target, '2', version, [{ question, id: 'none' }], [])).rejects.toThrow(
      /^".*" does not find its own passage none, but \w+, \w+, \w+\.$/,
    );
  });

  test('lists its versions', async () => {
    const date = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(await versions()).toEqual({
      live: '2',
      versions: [
        { version: '2', live: true, index: held.get(second), date },
        { version: '1', live: false, index: held.get(first), date },
      ],
      aligned: true,
    });
    expect(await printed('versions')).toMatch(
      /^version {2}live {2}index .*\n2 {8}live {2}.*\n1 {14}.* multilingual-e5-small .*\n$/,
    );
  });

  test('goes back and forth', async () => {
    expect(await printed('rollback')).toBe('Version 1 is live. Before: version 2.\n');
    expect(await state()).toEqual({ live: '1', code: { $LATEST: first, 1: first, 2: second } });
    expect(await asked()).toEqual(await local(first));
    expect(await sentence('rollback')).toBe(
      'No version with an index is older than 1, which is live. Versions: 2, 1.',
    );
    expect(await sentence('rollback', '1')).toBe('Version 1 is already live. Versions: 2, 1.');
    expect(await sentence('rollback', '7')).toBe('Version 7 does not exist. Versions: 2, 1.');
    expect(await printed('rollback', '2')).toContain('Version 2 is live. Before: version 1.');
    expect(await state()).toEqual({ live: '2', code: { $LATEST: second, 1: first, 2: second } });
    expect(JSON.parse(await printed('rollback', '1', '--json'))).toEqual({
      live: '1',
      was: '2',
      message: 'Version 1 is live. Before: version 2.',
    });
  });

  test('reuses an existing version, even if the smoke test fails', async () => {
    expect(await sentence('push', '--index', second, '--ask', UNANSWERABLE)).toMatch(
      / Version 1 stays live; the push left nothing behind\.$/,
    );
    expect(await state()).toEqual({ live: '1', code: { $LATEST: first, 1: first, 2: second } });
    expect(await printed('push', '--index', second)).toMatch(/^Version 2 of polyseek is live /);
    expect(await state()).toEqual({ live: '2', code: { $LATEST: second, 1: first, 2: second } });
  });

  describe('with concurrent changes', () => {
    test('keeps a version that someone else made live meanwhile', async () => {
      aws.before('UpdateAlias', () =>
        aws.lambda.send(new UpdateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' })),
      );
      expect(await sentence('push', '--index', first)).toMatch(
        /^lambda:UpdateAlias failed: someone else has moved the alias live\. .* Version 1 stays live; version 3 was deleted\.$/,
      );
      expect(await state()).toEqual({ live: '1', code: { $LATEST: first, 1: first, 2: second } });
      await printed('rollback', '2');
    });

    test('keeps a version that became live although the call failed', async () => {
      aws.before('UpdateAlias', () =>
        aws.lambda.send(new UpdateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '3' })),
      );
      expect(await sentence('push', '--index', first)).toMatch(/ Version 3 is live nevertheless\. /);
      expect(await state()).toEqual({ live: '3', code: { $LATEST: first, 1: first, 2: second, 3: first } });
      await printed('rollback');
      await aws.lambda.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '3' }));
    });

    test('keeps the code of others, versions reports it, and rollback corrects it', async () => {
      const code = { FunctionName, S3Bucket: BUCKET, S3Key: 'other.zip' };
      aws.before('PublishVersion', () => aws.lambda.send(new UpdateFunctionCodeCommand(code)));
      expect(await sentence('push', '--index', first)).toMatch(
        /^lambda:PublishVersion failed: someone else has changed the code of polyseek\. .* Version 2 stays live; the push left nothing behind\.$/,
      );
      expect(await state()).toEqual({ live: '2', code: { $LATEST: undefined, 1: first, 2: second } });
      expect(await versions()).toMatchObject({ live: '2', aligned: false });
      expect(await printed('versions')).toContain('\n\n$LATEST contains other code than version 2, ');
      expect(await printed('rollback', '2')).toContain('$LATEST contains the code of version 2 again');
      expect(await state()).toEqual({ live: '2', code: { $LATEST: second, 1: first, 2: second } });
    });
  });

  describe('after a failed call', () => {
    let mend = () => {};
    afterEach(() => mend());

    test.each([
      [
        'AccessDeniedException',
        403,
        /^lambda:Invoke: access denied\. Allow lambda:InvokeFunction for this AWS identity, /,
      ],
      ['ExpiredTokenException', 403, /^lambda:Invoke failed: the AWS session has expired\. /],
      ['TooManyRequestsException', 429, /^lambda:Invoke was throttled at every attempt: /],
      ['ServiceException', 400, /^lambda:Invoke failed \(ServiceException\): No\.$/],
    ])('ask: %s', async (name, status, message) => {
      mend = aws.fail('Invoke', refusal(name, status));
      expect(await sentence('search', QUESTION)).toMatch(message);
    });

    test('push reports the remaining changes if undoing fails too', async () => {
      mend = aws.fail('DeleteFunction', refusal('AccessDeniedException', 403));
      expect(await sentence('push', '--index', first, '--ask', UNANSWERABLE)).toMatch(
        /^"Who won .* Undoing the push failed too: lambda:DeleteFunction: access denied\. .* The live version did not change, but .* Version 3 still exists\. Run npx polyseek versions, /,
      );
      expect(await state()).toEqual({ live: '2', code: { $LATEST: second, 1: first, 2: second, 3: first } });
      mend();
      await aws.lambda.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '3' }));
    });

    test('push undoes its changes after an interrupt', async () => {
      let child: ReturnType<typeof start> | undefined;
      aws.before('PublishVersion', async () => child?.kill('SIGINT'));
      child = start(['push', '--index', first]);
      const { code, stdout, stderr } = await finished(child);
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(stderr).toMatch(/\nInterrupted: stopping after this step\. .*\n/);
      expect(stderr).toMatch(/\nInterrupted\. Version 2 stays live; version 3 was deleted\.\n$/);
      expect(await state()).toEqual({ live: '2', code: { $LATEST: second, 1: first, 2: second } });
    });

    test('push changes nothing if an early call fails', async () => {
      expect(await sentence('push', '--index', first, '--bucket', 'none')).toMatch(
        /^s3:PutObject: no bucket none\. Create it with npx cdk bootstrap in eu-central-1, .* Version 2 stays live; the push left nothing behind\.$/,
      );
      expect(await state()).toEqual({ live: '2', code: { $LATEST: second, 1: first, 2: second } });
    });

    test('rollback can be repeated to complete it after live has moved', async () => {
      mend = aws.fail('UpdateFunctionCode', refusal('ResourceConflictException', 409));
      expect(await sentence('rollback')).toMatch(
        /^lambda:UpdateFunctionCode failed: another update of polyseek is in progress\. .* Version 1 is live, but \$LATEST still contains other code, .*\. Run npx polyseek rollback 1\.$/,
      );
      expect(await versions()).toMatchObject({ live: '1', aligned: false });
      mend();
      await printed('rollback', '1');
      expect(await state()).toEqual({ live: '1', code: { $LATEST: first, 1: first, 2: second } });
    });

    test.each<[string, string[], RegExp]>([
      [
        'search',
        ['search', QUESTION, '--qualifier', '7'],
        /^lambda:Invoke: polyseek in eu-central-1 has no version 7\. /,
      ],
      [
        'search',
        ['search', QUESTION, '--function', 'none'],
        /^lambda:Invoke: no function none with the alias live in eu-central-1\. /,
      ],
      [
        'search',
        ['search', QUESTION, '--filter', 'year=2026'],
        /^lambda:Invoke of polyseek \(live\) with POST \/search returned 400: No passage has the field "year"\. Filter on /,
      ],
      [
        'versions',
        ['versions', '--function', 'none'],
        /^lambda:GetAlias: no function none in eu-central-1\. /,
      ],
      [
        'rollback',
        ['rollback', '--function', 'none'],
        /^lambda:GetAlias: no function none in eu-central-1\. /,
      ],
      [
        'push',
        ['push', '--function', 'none'],
        /^lambda:GetFunctionConfiguration: no function none in eu-central-1\. /,
      ],
      ['push', ['push', '--index', join(root, 'none')], /^There is no index in .*none\. /],
    ])('%s %j', async (_, args, message) => {
      expect(await sentence(...args)).toMatch(message);
    });

    test.each<[string, Record<string, string | undefined>, RegExp]>([
      ['no credentials', { AWS_ACCESS_KEY_ID: undefined }, /^lambda:Invoke failed: no AWS credentials\. /],
      ['no region', { AWS_REGION: undefined }, /^lambda:Invoke needs a region \(Region is missing\)\. /],
      [
        'no network',
        { AWS_ENDPOINT_URL: 'http://localhost:1' },
        /^lambda:Invoke did not reach AWS \(.*ECONNREFUSED.*\)\. /,
      ],
    ])('%s', async (_, env, message) => {
      const { code, stdout, stderr } = await remote(['search', QUESTION], env);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^[^\n]+\n$/);
      expect(stderr).toMatch(message);
    });
  });

  describe('after a push', () => {
    test('a failed deletion of an old version is reported, but the push succeeds', async () => {
      await printed('push', '--index', second);
      const restore = aws.fail('DeleteFunction', refusal('AccessDeniedException', 403));
      const output = await printed('push', '--index', first, '--keep', '1');
      restore();
      expect(output).toMatch(
        /^Version 3 of polyseek is live .*\nVersion 2 was not deleted: lambda:DeleteFunction: access denied\. /,
      );
      expect(await state()).toEqual({ live: '3', code: { $LATEST: first, 1: first, 2: second, 3: first } });
    });

    test('old versions are deleted, with uploads that no kept version needs', async () => {
      expect(await printed('push', '--index', second, '--keep', '1')).toMatch(
        /^Version 4 of polyseek is live \(.*\)\. Before: version 3\.\nDeleted versions 3, 2 \(\d+\.\d MB\)\.\nKept versions 4, 1, and 2 other files below polyseek\/ in the bucket\.\n$/,
      );
      expect(await state()).toEqual({ live: '4', code: { $LATEST: second, 1: first, 4: second } });
    });
  });

  test('sends a share of its requests to a new version, until that is promoted or rolled back', async () => {
    const functionName = 'shared';
    await createFunction(functionName);
    await aws.lambda.send(new PublishVersionCommand({ FunctionName: functionName }));
    const live = { FunctionName: functionName, Name: 'live', FunctionVersion: '1' };
    await aws.lambda.send(new CreateAliasCommand(live));
    const target: Remote = { functionName, ...aws, step: (_, run) => run() };
    const pushed = (index: string, canary?: number) => {
      const packaged = { zip: zips.get(index)!, summary: held.get(index)! };
      return push(target, { index, packageFor: async () => packaged, canary });
    };
    const shares = async () => {
      const { versions, aligned } = await listVersions(target);
      expect(aligned).toBe(true);
      const used = versions.filter((one) => one.live || one.percent !== undefined);
      return Object.fromEntries(used.map((one) => [one.version, one.percent ?? 'live']));
    };
    expect(await pushed(second, 10)).toMatchObject({
      live: '1',
      was: '1',
      canary: { version: '2', percent: 10 },
      message: expect.stringMatching(
        /^Version 2 of shared gets 10 % of requests \(.*, and version 1 the others\. /,
      ),
    });
    expect(await shares()).toEqual({ 1: 'live', 2: 10 });
    expect(versionTable(await listVersions(target))).toMatch(/^2 +10 % +.*\n1 +live /m);
    expect(await rollback(target)).toMatchObject({
      live: '1',
      message: 'Version 1 gets all requests again. Before, version 2 got 10 %.',
    });
    expect(await shares()).toEqual({ 1: 'live' });

    await aws.lambda.send(new DeleteFunctionCommand({ FunctionName: functionName, Qualifier: '2' }));
    aws.loseResponse('UpdateAlias');
    await expect(pushed(second, 25)).rejects.toThrow(/ Version 2 gets 25 % of requests nevertheless\. /);
    await rollback(target, '1');
    const share = async () => {
      const { version, revision } = await readAlias(target);
      const canary = { version: version === '1' ? '2' : '1', percent: 50 };
      await moveAlias(target, version, revision, canary);
    };
    await share();
    expect(await promote(target)).toMatchObject({ live: '2', was: '1' });
    expect(await shares()).toEqual({ 2: 'live' });
    await expect(promote(target)).rejects.toThrow(
      /^Version 2 gets all requests, so there is nothing to promote\. /,
    );

    await share();
    expect(await shares()).toEqual({ 1: 50, 2: 'live' });
    expect(await pushed(second)).toMatchObject({
      message: expect.stringMatching(/^Nothing to push: version 2, /),
    });
    expect(await shares()).toEqual({ 2: 'live' });
    await share();
    await rollback(target, '1');
    expect(await shares()).toEqual({ 1: 'live' });
  });

  test('has an alias if cdk deployed it', async () => {
    await createFunction('bare');
    expect(await sentence('versions', '--function', 'bare')).toMatch(
      /^lambda:GetAlias: bare in eu-central-1 has no alias live\. /,
    );
  });
});

/** The facts in the description of a version with this index. */
function heldBy({ version, counts, model }: Manifest): IndexSummary {
  return { version, passages: counts.passages, model: model.name };
}
