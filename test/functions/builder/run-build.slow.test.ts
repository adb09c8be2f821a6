import { createReadStream, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterEach, expect, test, vi } from 'vitest';
import { Builds, newBuildId } from '../../../functions/builder/builds.ts';
import type { Builder } from '../../../functions/builder/run.ts';
import { runBuild } from '../../../functions/builder/run-build.ts';
import { Bucket } from '../../../index/aws/s3.ts';
import { compileModel } from '../../../index/compile/compile.ts';
import { Notices } from '../../../index/ingest/reading/notices.ts';
import type { Source } from '../../../index/ingest/sources/source.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
import { tinyModel, writeModel } from '../../fixtures/models/tiny-model.ts';

const TIME = 900_000;
const CONTEXT = { awsRequestId: 'request', getRemainingTimeInMillis: () => TIME };

// Its lines are no part of this test's output.
vi.mock('../../../functions/search/log.ts', () => ({ writeEntry: () => {} }));

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A client of S3 that keeps objects in memory, as far as a builder needs it. */
function memoryS3(): S3Client {
  const objects = new Map<string, Buffer>();
  const send = async (command: object) => {
    if (command instanceof ListObjectsV2Command) {
      const found = [...objects].filter(([key]) => key.startsWith(command.input.Prefix!));
      return {
        Contents: found.map(([Key, { length }]) => ({ Key, Size: length, LastModified: new Date() })),
      };
    }
    if (command instanceof PutObjectCommand) {
      const { Key, Body, IfNoneMatch } = command.input;
      if (IfNoneMatch && objects.has(Key!)) throw Object.assign(new Error(), { name: 'PreconditionFailed' });
      objects.set(Key!, typeof Body === 'string' ? Buffer.from(Body) : await buffer(Body as Readable));
      return { ETag: 'etag' };
    }
    if (command instanceof DeleteObjectsCommand) {
      for (const { Key } of command.input.Delete!.Objects!) objects.delete(Key!);
      return {};
    }
    const found = command instanceof GetObjectCommand && objects.get(command.input.Key!);
    if (!found) throw Object.assign(new Error(), { name: 'NoSuchKey' });
    const Body = Object.assign(Readable.from([found]), { transformToByteArray: async () => found });
    return { Body, ETag: 'etag' };
  };
  return Object.assign(new S3Client({ region: 'eu-central-1' }), { send });
}

test('a file that uses up two invocations is named, and the third goes on without it', async () => {
  const folder = realpathSync(temporaryFolder());
  // Its first line is reported while the others are read.
  const slow = join(folder, 'slow.jsonl');
  writeFileSync(slow, `not JSON\n${'{"text":"Words."}\n'.repeat(1000)}`);
  const documents: Source = {
    options: {},
    async *files() {
      const file = { version: '1', localPath: slow, open: () => createReadStream(slow) };
      yield { source: 'slow.jsonl', path: 's3://docs/slow.jsonl', ...file };
      const good = async function* () {
        yield Buffer.from('The lamp of the lighthouse turns.');
      };
      yield { source: 'good.txt', path: 's3://docs/good.txt', version: '1', open: good };
    },
  };
  mkdirSync(join(folder, 'function'));
  // Passages need some tokens.
  const source = writeModel(tinyModel({ positions: 128 }));
  const model = compileModel(source, { into: join(folder, 'models') });
  rmSync(source, { recursive: true });
  symlinkSync(model, join(folder, 'function/model'));
  const PUBLISHING = new Error('The index is built.');
  const bucket = new Bucket('stack', memoryS3());
  const invocations: object[] = [];
  const send = async (command: object) => {
    if (!(command instanceof InvokeCommand)) throw PUBLISHING;
    invocations.push(JSON.parse(String(command.input.Payload)));
  };
  const builds = new Builds(bucket);
  const builder = {
    name: 'builder',
    memory: 3008,
    bucket,
    remote: { functionName: 'search', lambda: { send }, step: (_: string, run: () => unknown) => run() },
    address: 's3://docs',
    documents,
    store: 'bundle',
    keep: 3,
    functionFolder: join(folder, 'function'),
    work: join(folder, 'work'),
  } as unknown as Builder;
  const id = newBuildId();
  const places = [expect.objectContaining({ place: 's3://docs/slow.jsonl' })];
  const named = { kind: 'failed', reason: 'takes too long', places };
  const { add } = Notices.prototype;
  for (const kind of ['batch', 'continuation'] as const) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.spyOn(Notices.prototype, 'add').mockImplementationOnce(function (this: Notices, notice) {
      add.call(this, notice);
      // The time of the invocation ends.
      vi.advanceTimersByTime(TIME);
      vi.useRealTimers();
    });
    expect(await runBuild(builder, { id, cause: 'events', kind, messages: [] }, CONTEXT)).toBe('continues');
    const { status, notices } = (await builds.read(id))!;
    expect(status).toBe('continues');
    expect(notices).toContainEqual(expect.objectContaining(named));
  }
  expect(invocations).toEqual([{ continue: id }, { continue: id }]);
  const last = runBuild(builder, { id, cause: 'events', kind: 'continuation', messages: [] }, CONTEXT);
  await expect(last).rejects.toThrow(PUBLISHING.message);
  const { documents: read, notices } = (await builds.read(id))!;
  expect(read).toBe(1);
  expect(notices).toContainEqual(expect.objectContaining(named));
});
