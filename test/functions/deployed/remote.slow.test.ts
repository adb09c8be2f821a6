import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { PackagedFunction } from '../../../functions/deployed/asset.ts';
import { connect, type Remote } from '../../../functions/deployed/connect.ts';
import { codeSha256, moveAlias, rollback } from '../../../functions/deployed/go-live.ts';
import { ask } from '../../../functions/deployed/invoke.ts';
import { packageZip } from '../../../functions/deployed/package-zip.ts';
import { type PushOptions, promote, push } from '../../../functions/deployed/push.ts';
import { chooseProbes, type Probe, smoke } from '../../../functions/deployed/smoke.ts';
import { describeVersion } from '../../../functions/deployed/version-description.ts';
import { listVersions, readAlias, versionTable } from '../../../functions/deployed/versions.ts';
import type { QuestionGroup } from '../../../index/evaluate/unanswered.ts';
import { Passages } from '../../../index/format/passages-file.ts';
import { openLocal } from '../../../index/ingest/open-local.ts';
import { type Aws, startAws } from '../../fixtures/aws.ts';
import { createBucket, createRole } from '../../fixtures/aws-setup.ts';
import { POLYSEEK } from '../../fixtures/bundle-cli.ts';
import { root, topicsIndex } from '../../fixtures/index.ts';
import { finished, type Outcome } from '../../fixtures/processes.ts';
import { missingTools } from '../../fixtures/tools.ts';

const FunctionName = 'polyseek';
const BUCKET = 'cdk-hnb659fds-assets-123456789012-eu-central-1';
const QUESTION = 'How often does the light of the Korvane lighthouse flash?';
const UNANSWERABLE = 'Who won the football world cup in 1974?';
const refusal = (name: string, status = 400) => ({ name, status, message: 'No.' });

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric'))('a deployed function', () => {
  let [first, second] = ['', ''];
  const packages = new Map<string, PackagedFunction>();
  let aws: Aws;
  let live: Remote;
  const remote = (functionName = FunctionName, bucket?: string) =>
    connect({ functionName, bucket, step: (_, run) => run() });

  const start = (args: string[], env: Record<string, string | undefined> = {}): ChildProcess =>
    spawn(process.execPath, [POLYSEEK, ...args], {
      cwd: root,
      env: { PATH: process.env.PATH, ...aws.env, ...env },
    });
  /** The output of a command that must succeed, without its steps. */
  async function printed(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await finished(start(args));
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^(.+: \d+\.\d s\n)*$/);
    return stdout;
  }
  const search = (...args: string[]) => ['search', QUESTION, '--function', FunctionName, ...args];
  /** Pushes an index that is packaged already. */
  const pushed = (index: string, options: Partial<PushOptions> = {}, target = live) =>
    push(target, { index, packageFor: async () => packages.get(index)!, ...options });
  const sha256 = (index: string) => codeSha256(packages.get(index)!.zip);
  const summary = (index: string) => packages.get(index)!.summary;

  /** The live version, and the index of each version's code; undefined for other code. */
  async function state() {
    const { Versions = [] } = await aws.lambda.send(new ListVersionsByFunctionCommand({ FunctionName }));
    const names = new Map([first, second].map((index) => [sha256(index), index]));
    const code = Versions.map(({ Version, CodeSha256 }) => [Version!, names.get(CodeSha256!)]);
    return { live: (await readAlias(live)).version, code: Object.fromEntries(code) };
  }

  /** The answer to a question, without its times. */
  async function asked(qualifier?: string) {
    const { answer, report } = await ask(live, { q: QUESTION, k: 3, mode: 'hybrid' }, qualifier);
    expect(report).toMatchObject({ durationMs: expect.any(Number), billedMs: expect.any(Number) });
    return { ...answer, took: undefined };
  }
  async function local(index: string) {
    const answer = await (await openLocal(index)).search({ q: QUESTION, k: 3, mode: 'hybrid' });
    return { ...answer, took: undefined };
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
    [first, second] = [await topicsIndex(['en']), await topicsIndex(['en', 'zh'])];
    for (const index of [first, second]) packages.set(index, await packageZip(index, {}, 'x86_64'));
    aws = await startAws();
    for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
    live = remote();
    await createBucket(aws, BUCKET);
    await upload('first.zip', packages.get(first)!.zip);
    await upload('other.zip', Buffer.from('other'));
    await createRole(aws);
    await createFunction(FunctionName);
    const Description = describeVersion(summary(first));
    await aws.lambda.send(new PublishVersionCommand({ FunctionName, Description }));
    await aws.lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }));
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await aws?.stop();
  });

  test('is asked a question', async () => {
    const cold = await printed(...search());
    expect(cold).toMatch(/^1\. .*Korvane lighthouse .*\[en\] {2}Best match$/m);
    expect(cold).toMatch(
      /\n\nLambda: [\d.]+ ms, billed \d+ ms, memory \d+ MB, cold start with an init of [\d.]+ ms\n$/,
    );
    const { answer, report } = JSON.parse(await printed(...search('--json')));
    expect({ ...answer, took: undefined }).toEqual(await local(first));
    expect(report.initMs).toBeUndefined();
  });

  test('has a log, from which unanswered questions are read', async () => {
    const unanswered = ['unanswered', '--index', first, '--json'];
    const { code, stderr } = await finished(start(unanswered));
    expect([code, stderr]).toEqual([
      1,
      'There is no log group /aws/lambda/polyseek yet. Ask the function a question first.\n',
    ]);
    const client = new CloudWatchLogsClient({ endpoint: aws.url });
    const place = { logGroupName: '/aws/lambda/polyseek', logStreamName: '2026/12/01/[1]ab' };
    await client.send(new CreateLogGroupCommand(place));
    await client.send(new CreateLogStreamCommand(place));
    const now = Date.now();
    const event = (q: string, verdict: string, hours: number) => {
      const timestamp = now - hours * 3_600_000;
      const message = JSON.stringify({ timestamp: new Date(timestamp).toISOString(), q, verdict });
      return { timestamp, message };
    };
    const logEvents = [
      event('Do you ship to Brazil?', 'none', 8 * 24),
      event('How do I reset my password?', 'possible', 24),
      event(QUESTION, 'answered', 1),
    ];
    await client.send(new PutLogEventsCommand({ ...place, logEvents }));
    const questionsOf = (printed: string) =>
      JSON.parse(printed).groups.map(({ question }: QuestionGroup) => question);
    expect(questionsOf(await printed(...unanswered))).toEqual(['How do I reset my password?']);
    expect(questionsOf(await printed(...unanswered, '--since', '2w'))).toHaveLength(2);
  });

  test('is asked with the flags of search, and the exit code reports empty results', async () => {
    const flags = '-k 30 --mode lexical --context 1 --explain --min-confidence 0.01 --qualifier 1 --json';
    const filters = '--lang de --lang en --filter number=1 --filter number=2';
    const { answer } = JSON.parse(await printed(...search(...flags.split(' '), ...filters.split(' '))));
    const expected = await (await openLocal(first)).search({
      q: QUESTION,
      k: 30,
      mode: 'lexical',
      context: 1,
      explain: true,
      minConfidence: 0.01,
      filter: { lang: ['de', 'en'], number: [1, 2] },
    });
    expect(expected.results.length).toBeGreaterThan(0);
    expect({ ...answer, took: undefined }).toEqual({ ...expected, took: undefined });

    const missed = await finished(start(['search', UNANSWERABLE, '-k', '1', '--function', FunctionName]));
    expect(missed).toMatchObject({ code: 3, stderr: '' });
    expect(missed.stdout).toMatch(
      /^Nothing here matches your question\. The closest passages:\n\n1\. .*\n\nLambda: [^\n]+\n$/s,
    );
    const filter = { lang: ['zh'] };
    const { answer: none } = await ask(live, { q: QUESTION, k: 3, mode: 'hybrid', filter });
    expect(none).toMatchObject({ answered: false, results: [] });
  });

  test('is not updated by a push without changes', async () => {
    const { message } = await pushed(first);
    expect(message).toBe('Nothing to push: version 1, which is live, has the same code.');
    expect(await state()).toEqual({ live: '1', code: { $LATEST: first, 1: first } });
  });

  test('does not change if the smoke test fails', async () => {
    await expect(pushed(second, { questions: [QUESTION, UNANSWERABLE] })).rejects.toThrow(
      /^"Who won the football world cup in 1974\?" has no answer\. Closest passage: ".*" \(.*\), confidence 0\.\d\d\. Version 1 stays live; version 2 was deleted\.$/,
    );
    expect(await state()).toEqual({ live: '1', code: { $LATEST: first, 1: first } });
  });

  test('gets a changed index', async () => {
    const { code, stdout, stderr } = await finished(start(['push', '--index', second, '--ask', QUESTION]));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Version 2 of polyseek is live (${describeVersion(summary(second))}). Before: version 1.\n`,
    });
    const lines = stderr.trimEnd().split('\n');
    const steps = lines.map((line) => line.replace(/: \d+\.\d s$/, ''));
    expect(steps).toEqual([
      `package ${second} for x86_64`,
      'choose questions for the smoke test',
      `upload to ${BUCKET}`,
      'update the code of $LATEST',
      'publish a version',
      'wait for version 2',
      'smoke test of version 2',
      'move live to version 2',
    ]);
    expect(await state()).toEqual({ live: '2', code: { $LATEST: second, 1: first, 2: second } });
    expect(await asked()).toEqual(await local(second));
    expect(await asked('1')).toEqual(await local(first));
  });

  test('is tested with passages of its own index', async () => {
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
    const { version } = summary(second);
    await smoke(live, '2', version, probes, [QUESTION]);
    await expect(smoke(live, '1', version, [], [])).rejects.toThrow(
      `GET /health reports index ${summary(first).version}, but ${version} was pushed.`,
    );
    // The index contains other passages, but not this one.
    const [{ question }] = probes as [Probe];
    await expect(smoke(live, '2', version, [{ question, id: 'none' }], [])).rejects.toThrow(
      /^Check failed: ".*" should return none but returned \w+, \w+, \w+\.$/,
    );
  });

  test('lists its versions', async () => {
    const date = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(JSON.parse(await printed('versions', '--json'))).toEqual({
      live: '2',
      versions: [
        { version: '2', live: true, index: summary(second), date },
        { version: '1', live: false, index: summary(first), date },
      ],
      aligned: true,
    });
    expect(versionTable(await listVersions(live))).toMatch(
      /^version {2}live {2}index .*\n2 {8}live {2}.*\n1 {14}.* small .*$/,
    );
  });

  test('goes back and forth', async () => {
    expect(await printed('rollback')).toBe('Version 1 is live. Before: version 2.\n');
    expect(await state()).toEqual({ live: '1', code: { $LATEST: first, 1: first, 2: second } });
    expect(await asked()).toEqual(await local(first));
    await expect(rollback(live)).rejects.toThrow(
      'No version with an index is older than 1, which is live. Versions: 2, 1.',
    );
    await expect(rollback(live, '1')).rejects.toThrow('Version 1 is already live. Versions: 2, 1.');
    await expect(rollback(live, '7')).rejects.toThrow('Version 7 does not exist. Versions: 2, 1.');
    expect(await rollback(live, '2')).toMatchObject({ message: 'Version 2 is live. Before: version 1.' });
    expect(await state()).toEqual({ live: '2', code: { $LATEST: second, 1: first, 2: second } });
    expect(await rollback(live, '1')).toEqual({
      live: '1',
      was: '2',
      message: 'Version 1 is live. Before: version 2.',
    });
  });

  test('reuses an existing version, even if the smoke test fails', async () => {
    await expect(pushed(second, { questions: [UNANSWERABLE] })).rejects.toThrow(
      / Version 1 stays live; the push left nothing behind\.$/,
    );
    expect(await state()).toEqual({ live: '1', code: { $LATEST: first, 1: first, 2: second } });
    expect((await pushed(second)).message).toMatch(/^Version 2 of polyseek is live /);
    expect(await state()).toEqual({ live: '2', code: { $LATEST: second, 1: first, 2: second } });
  });

  describe('with concurrent changes', () => {
    test('keeps a version that someone else made live meanwhile', async () => {
      aws.before('UpdateAlias', () =>
        aws.lambda.send(new UpdateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' })),
      );
      await expect(pushed(first)).rejects.toThrow(
        /^lambda:UpdateAlias failed: someone else has moved the alias live\. .* Version 1 stays live; version 3 was deleted\.$/,
      );
      expect(await state()).toEqual({ live: '1', code: { $LATEST: first, 1: first, 2: second } });
      await rollback(live, '2');
    });

    test('keeps a version that became live although the call failed', async () => {
      aws.before('UpdateAlias', () =>
        aws.lambda.send(new UpdateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '3' })),
      );
      await expect(pushed(first)).rejects.toThrow(/ Version 3 is live nevertheless\. /);
      expect(await state()).toEqual({ live: '3', code: { $LATEST: first, 1: first, 2: second, 3: first } });
      await rollback(live);
      await aws.lambda.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '3' }));
    });

    test('keeps the code of others, versions reports it, and rollback corrects it', async () => {
      const code = { FunctionName, S3Bucket: BUCKET, S3Key: 'other.zip' };
      aws.before('PublishVersion', () => aws.lambda.send(new UpdateFunctionCodeCommand(code)));
      await expect(pushed(first)).rejects.toThrow(
        /^lambda:PublishVersion failed: someone else has changed the code of polyseek\. .* Version 2 stays live; the push left nothing behind\.$/,
      );
      expect(await state()).toEqual({ live: '2', code: { $LATEST: undefined, 1: first, 2: second } });
      const versions = await listVersions(live);
      expect(versions).toMatchObject({ live: '2', aligned: false });
      expect(versionTable(versions)).toContain('\n\n$LATEST contains other code than version 2, ');
      expect((await rollback(live, '2')).message).toContain('$LATEST contains the code of version 2 again');
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
      await expect(asked()).rejects.toThrow(message);
    });

    test('push reports the remaining changes if undoing fails too', async () => {
      mend = aws.fail('DeleteFunction', refusal('AccessDeniedException', 403));
      await expect(pushed(first, { questions: [UNANSWERABLE] })).rejects.toThrow(
        /^"Who won .* Undoing the push failed too: lambda:DeleteFunction: access denied\. .* The live version did not change, but .* Version 3 still exists\. Run npx polyseek versions, /,
      );
      expect(await state()).toEqual({ live: '2', code: { $LATEST: second, 1: first, 2: second, 3: first } });
      mend();
      await aws.lambda.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '3' }));
    });

    test('push undoes its changes after an interrupt', async () => {
      let child: ChildProcess | undefined;
      aws.before('PublishVersion', async () => child?.kill('SIGINT'));
      child = start(['push', '--index', first]);
      const { code, stdout, stderr } = await finished(child);
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(stderr).toMatch(/\nInterrupted: stopping after this step\. .*\n/);
      expect(stderr).toMatch(/\nInterrupted\. Version 2 stays live; version 3 was deleted\.\n$/);
      expect(await state()).toEqual({ live: '2', code: { $LATEST: second, 1: first, 2: second } });
    });

    test('push changes nothing if an early call fails', async () => {
      await expect(pushed(first, {}, remote(FunctionName, 'none'))).rejects.toThrow(
        /^s3:PutObject: no bucket none\. Create it with npx cdk bootstrap in eu-central-1, .* Version 2 stays live; the push left nothing behind\.$/,
      );
      expect(await state()).toEqual({ live: '2', code: { $LATEST: second, 1: first, 2: second } });
    });

    test('rollback can be repeated to complete it after live has moved', async () => {
      mend = aws.fail('UpdateFunctionCode', refusal('ResourceConflictException', 409));
      await expect(rollback(live)).rejects.toThrow(
        /^lambda:UpdateFunctionCode failed: another update of polyseek is in progress\. .* Version 1 is live, but \$LATEST still contains other code, .*\. Run npx polyseek rollback 1\.$/,
      );
      expect(await listVersions(live)).toMatchObject({ live: '1', aligned: false });
      mend();
      await rollback(live, '1');
      expect(await state()).toEqual({ live: '1', code: { $LATEST: first, 1: first, 2: second } });
    });

    test.each<[string, () => Promise<unknown>, RegExp]>([
      ['search', () => asked('7'), /^lambda:Invoke: polyseek in eu-central-1 has no version 7\. /],
      [
        'search',
        () => ask(remote('none'), { q: QUESTION, k: 3, mode: 'hybrid' }),
        /^lambda:Invoke: no function none with the alias live in eu-central-1\. /,
      ],
      [
        'search',
        () => ask(live, { q: QUESTION, k: 3, mode: 'hybrid', filter: { year: [2026] } }),
        /^lambda:Invoke of polyseek \(live\) with POST \/search returned 400: No passage has the field "year"\. Filter on /,
      ],
      [
        'versions',
        () => listVersions(remote('none')),
        /^lambda:GetAlias: no function none in eu-central-1\. /,
      ],
      ['rollback', () => rollback(remote('none')), /^lambda:GetAlias: no function none in eu-central-1\. /],
      [
        'push',
        () => pushed(first, {}, remote('none')),
        /^lambda:GetFunctionConfiguration: no function none in eu-central-1\. /,
      ],
      [
        'push',
        () =>
          push(live, { index: 'none', packageFor: (architecture) => packageZip('none', {}, architecture) }),
        /^There is no index in .*none\. /,
      ],
    ])('%s', async (_, run, message) => {
      await expect(run()).rejects.toThrow(message);
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
      const { code, stdout, stderr }: Outcome = await finished(start(search(), env));
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^[^\n]+\n$/);
      expect(stderr).toMatch(message);
    });
  });

  describe('after a push', () => {
    test('a failed deletion of an old version is reported, but the push succeeds', async () => {
      await pushed(second);
      const restore = aws.fail('DeleteFunction', refusal('AccessDeniedException', 403));
      const { message, pruned } = await pushed(first, { keep: 1 });
      restore();
      expect(message).toMatch(/^Version 3 of polyseek is live /);
      expect(pruned!.failures).toEqual([
        expect.stringMatching(/^Version 2 was not deleted: lambda:DeleteFunction: access denied\. /),
      ]);
      expect(await state()).toEqual({ live: '3', code: { $LATEST: first, 1: first, 2: second, 3: first } });
    });

    test('old versions are deleted, and no upload is left', async () => {
      expect(await printed('push', '--index', second, '--keep', '1')).toMatch(
        /^Version 4 of polyseek is live \(.*\)\. Before: version 3\.\nDeleted versions 3, 2 \(\d+\.\d MB\)\.\nKept versions 4, 1\.\n$/,
      );
      expect(await state()).toEqual({ live: '4', code: { $LATEST: second, 1: first, 4: second } });
      const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
      expect(Contents.map(({ Key }) => Key)).toEqual(['first.zip', 'other.zip']);
    });
  });

  test('sends a share of its requests to a new version, until that is promoted or rolled back', async () => {
    const functionName = 'shared';
    await createFunction(functionName);
    await aws.lambda.send(new PublishVersionCommand({ FunctionName: functionName }));
    const live = { FunctionName: functionName, Name: 'live', FunctionVersion: '1' };
    await aws.lambda.send(new CreateAliasCommand(live));
    const target = remote(functionName);
    const share = (canary?: number) => pushed(second, { canary }, target);
    const shares = async () => {
      const { versions, aligned } = await listVersions(target);
      expect(aligned).toBe(true);
      const used = versions.filter((one) => one.live || one.percent !== undefined);
      return Object.fromEntries(used.map((one) => [one.version, one.percent ?? 'live']));
    };
    expect(await share(10)).toMatchObject({
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
    await expect(share(25)).rejects.toThrow(/ Version 2 gets 25 % of requests nevertheless\. /);
    await rollback(target, '1');
    const shareOther = async () => {
      const { version, revision } = await readAlias(target);
      const canary = { version: version === '1' ? '2' : '1', percent: 50 };
      await moveAlias(target, version, revision, canary);
    };
    await shareOther();
    expect(await promote(target)).toMatchObject({ live: '2', was: '1' });
    expect(await shares()).toEqual({ 2: 'live' });
    await expect(promote(target)).rejects.toThrow(
      /^Version 2 gets all requests, so there is nothing to promote\. /,
    );

    await shareOther();
    expect(await shares()).toEqual({ 1: 50, 2: 'live' });
    expect(await share()).toMatchObject({
      message: expect.stringMatching(/^Nothing to push: version 2, /),
    });
    expect(await shares()).toEqual({ 2: 'live' });
    await shareOther();
    await rollback(target, '1');
    expect(await shares()).toEqual({ 1: 'live' });
  });

  test('has an alias if cdk deployed it', async () => {
    await createFunction('bare');
    await expect(listVersions(remote('bare'))).rejects.toThrow(
      /^lambda:GetAlias: bare in eu-central-1 has no alias live\. /,
    );
  });
});
