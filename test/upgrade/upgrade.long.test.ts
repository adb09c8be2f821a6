import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Builds } from '../../functions/builder/builds.ts';
import { LOCK, takeLock } from '../../functions/builder/lock.ts';
import { version } from '../../functions/search/version.ts';
import { Bucket } from '../../index/aws/s3.ts';
import { compileModel } from '../../index/compile/compile.ts';
import { Embedder } from '../../index/embedding/embedder.ts';
import { type CompiledModel, readCompiledModel } from '../../index/format/compiled-model.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { buildFromSources } from '../../index/ingest/build-from-sources.ts';
import { configSchema, readConfig } from '../../index/ingest/sources/config.ts';
import { FolderSource } from '../../index/ingest/sources/folder.ts';
import { openSearch } from '../../index/search/index-search.ts';
import { parseAddress } from '../../index/store/s3vectors/address.ts';
import { readCurrent, readGeneration } from '../../index/store/s3vectors/generation.ts';
import { takeJournal } from '../../index/store/s3vectors/publish/journal.ts';
import { Service } from '../../index/store/s3vectors/publish/service.ts';
import type { SettingsInput } from '../../infra/schema.ts';
import { type Aws, startAws } from '../fixtures/aws.ts';
import { createBucket } from '../fixtures/aws-setup.ts';
import { root, temporaryFolder } from '../fixtures/index.ts';
import { tinyModel, writeModel } from '../fixtures/models/tiny-model.ts';
import { missingTools } from '../fixtures/tools.ts';
import { stackOf } from '../infra/templates.ts';

/** What `keep.ts` kept of each version. */
const KEPT = join(import.meta.dirname, 'kept');
const VERSIONS = readdirSync(KEPT);
const folder = temporaryFolder();
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

test('artefacts of this version are kept', () => {
  expect(VERSIONS).toContain(version);
  const kept = Object.keys(read(join(KEPT, version, 'polyseek.config.json')));
  expect(kept.sort()).toEqual(
    Object.keys(configSchema.entries)
      .filter((name) => name !== '$schema')
      .sort(),
  );
});

describe.each(VERSIONS)('after an upgrade from %s', (old) => {
  const at = (...names: string[]) => join(KEPT, old, ...names);
  const settings: Record<string, SettingsInput> = read(at('settings.json'));
  let compiled: string;

  beforeAll(() => {
    compiled = compileModel(writeModel(tinyModel({ positions: 128 })), { into: join(folder, 'models') });
  });

  test('a config is read as it was', () => {
    const file = at('polyseek.config.json');
    expect(readConfig(file)).toEqual(read(file));
  });

  test('an index answers as it did', async () => {
    const model = await Embedder.open(compiled, { verify: true });
    const search = await openSearch({ index: at('index'), model, verify: true });
    for (const { q, found } of read(at('answers.json'))) {
      const { results } = await search.search({ q, k: 3, mode: 'hybrid' });
      expect(results.map(({ id, text }) => ({ id, text }))).toEqual(found);
    }
    search.close();
  });

  test('a compiled model is read', () => {
    const copy = mkdtempSync(join(folder, 'model-'));
    cpSync(at('model.json'), join(copy, 'model.json'));
    const { files } = read(at('model.json')) as CompiledModel;
    for (const [name, { bytes }] of Object.entries(files)) {
      writeFileSync(join(copy, name), '');
      truncateSync(join(copy, name), bytes);
    }
    expect(readCompiledModel(copy, false)).toEqual(read(at('model.json')));
  });

  test('a cache spares the embeddings of documents that did not change', async () => {
    const [source, cache] = [mkdtempSync(join(folder, 'documents-')), mkdtempSync(join(folder, 'cache-'))];
    cpSync(at('documents'), source, { recursive: true });
    cpSync(at('cache'), cache, { recursive: true });
    const model = writeModel(tinyModel({ positions: 128 }));
    const built = await buildFromSources([new FolderSource(source)], join(folder, 'built'), { model, cache });
    expect(built).toMatchObject({ passages: 3, embedded: 0 });
  });

  test('an index in S3 Vectors is read', () => {
    const current = readCurrent(readFileSync(at('s3vectors/current.json')), 'current.json');
    expect(current).toEqual(read(at('s3vectors/current.json')));
    const manifest = readGeneration(readFileSync(at('s3vectors/manifest.json')), 'manifest.json');
    expect(manifest).toEqual(read(at('s3vectors/manifest.json')));
  });

  describe.skipIf(missingTools('moto'))('in AWS', () => {
    let aws: Aws;
    beforeAll(async () => {
      aws = await startAws();
      for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
      await createBucket(aws, 'kept');
    });
    afterAll(async () => {
      vi.unstubAllEnvs();
      await aws.stop();
    });

    test('the builder takes its lock, and commands list its builds', async () => {
      const bucket = new Bucket('kept', aws.s3);
      await bucket.put(LOCK, readFileSync(at('builder/lock.json'), 'utf8'));
      const { lock } = await takeLock(bucket, 'next');
      await lock!.release(null);
      const { format, ...record } = read(at('builder/build.json'));
      await bucket.put(`builder/builds/${record.id}.json`, JSON.stringify({ format, ...record }));
      expect(await new Builds(bucket).list(10)).toEqual([record]);
    });

    test('a record of builds with another format is one sentence', async () => {
      const bucket = new Bucket('kept', aws.s3);
      const key = 'builder/builds/20260101T000000000Z-0000.json';
      await bucket.put(key, '{"format":2}');
      await expect(new Builds(bucket).list(10)).rejects.toThrow(
        `${key} has format 2, but this polyseek reads format 1. Use the newest version of polyseek, here and in the deployed stack.`,
      );
    });

    test('the next publication to S3 Vectors finishes the work of the last', async () => {
      const service = new Service(parseAddress('s3vectors://kept/passages'));
      const { abandoned, removing } = read(at('s3vectors/journal.json'));
      await service.objects.put('journal.json', readFileSync(at('s3vectors/journal.json')));
      const journal = await takeJournal(service);
      expect(journal.state).toMatchObject({ publication: undefined, abandoned, removing });
      await journal.release();
      await service.objects.put('journal.json', Buffer.from('{"format":2}'));
      await expect(takeJournal(service)).rejects.toThrow(
        's3://kept/passages/journal.json has format 2, but this polyseek reads format 1. Use the newest version of polyseek.',
      );
      service.close();
    });
  });

  describe.each(Object.keys(settings))('the stack %s', (name) => {
    /** Resources with data or with an address that others have. */
    const LASTING =
      /^AWS::(S3::Bucket|S3Vectors::\w+|Lambda::(Function|Alias)|ApiGatewayV2::Api|CloudFront::Distribution|Route53::RecordSet|Logs::LogGroup|SNS::Topic|SQS::Queue|IAM::(Role|OIDCProvider))$/;
    const file = at('stacks', `${name}.json`);

    /** What a deploy would replace or delete, by CDK's own comparison of templates. */
    function lost(template: string): string[] {
      const stack = stackOf(folder, settings[name]!);
      const { directory } = (stack.node.root as App).synth();
      const args = ['diff', 'docs', '--app', directory, '--template', template, '--no-color', '--no-notices'];
      const cdk = join(root, 'node_modules/aws-cdk/bin/cdk');
      const env = { ...process.env, AWS_EC2_METADATA_DISABLED: 'true', HOME: folder };
      const shown = execFileSync('sh', ['-c', '"$@" 2>&1', 'sh', process.execPath, cdk, ...args], {
        encoding: 'utf8',
        env,
        cwd: folder,
      });
      expect(shown).toContain('Stack docs');
      const changes = [...shown.matchAll(/^\[[~+-]\] (AWS::\S+) (.+)$/gm)];
      return changes
        .filter(([, type, rest]) => LASTING.test(type!) && /(replaced?|destroy|orphan)$/.test(rest!))
        .map(([, type]) => type!);
    }

    test('keeps its data, its addresses and its outputs', () => {
      expect(lost(file)).toEqual([]);
      const { Outputs } = Template.fromStack(stackOf(folder, settings[name]!)).toJSON();
      expect(Object.keys(Outputs)).toEqual(expect.arrayContaining(Object.keys(read(file).Outputs)));
    });

    test('would not keep them with other names or ids', () => {
      const template = read(file);
      const types: string[] = [];
      for (const [id, { Type, Properties }] of Object.entries<{
        Type: string;
        Properties: Record<string, unknown>;
      }>(template.Resources)) {
        if (Type === 'AWS::Lambda::Function' && Properties.FunctionName)
          Properties.FunctionName = `other-${id}`;
        else if (Type === 'AWS::S3::Bucket') Properties.BucketName = 'other';
        else if (Type === 'AWS::S3Vectors::Index') Properties.Dimension = 8;
        else if (Type === 'AWS::ApiGatewayV2::Api') {
          template.Resources.Other = template.Resources[id];
          delete template.Resources[id];
        } else continue;
        types.push(Type);
      }
      const changed = join(mkdtempSync(join(folder, 'changed-')), 'template.json');
      writeFileSync(changed, JSON.stringify(template));
      expect(types.length).toBeGreaterThan(1);
      expect(lost(changed)).toEqual(expect.arrayContaining([...new Set(types)]));
    });
  });
});

describe('another format', () => {
  const at = (...names: string[]) => join(KEPT, version, ...names);

  /** A copy of a JSON file with another format, in a folder with its other files. */
  function withFormat(path: string, format: number): { folder: string; bytes: Buffer } {
    const bytes = Buffer.from(JSON.stringify({ ...read(at(path)), format }));
    const copy = mkdtempSync(join(folder, 'format-'));
    mkdirSync(join(copy, 'x'));
    writeFileSync(join(copy, path.split('/').at(-1)!), bytes);
    return { folder: copy, bytes };
  }
  const readers: [
    path: string,
    reader: (of: { folder: string; bytes: Buffer }) => unknown,
    remedy: string,
  ][] = [
    ['model.json', ({ folder }) => readCompiledModel(folder, false), 'Run npx polyseek index again.'],
    [
      'index/manifest.json',
      ({ folder }) => readManifest(folder, undefined, false),
      'Run npx polyseek index again.',
    ],
    [
      's3vectors/manifest.json',
      ({ bytes }) => readGeneration(bytes, 'manifest.json'),
      'Use the version of polyseek that wrote the index.',
    ],
    [
      's3vectors/current.json',
      ({ bytes }) => readCurrent(bytes, 'current.json'),
      'Use the version of polyseek that wrote the index.',
    ],
  ];

  test.each(readers)('of %s, older or newer, is one sentence with what to do', (path, reader, remedy) => {
    const { format } = read(at(path));
    for (const other of [format - 1, format + 1]) {
      const name = path.split('/').at(-1)!.replace('.', '\\.');
      expect(() => reader(withFormat(path, other))).toThrow(
        new RegExp(
          `^\\S*${name} has format ${other}, but this polyseek reads format ${format}\\. ${remedy}$`,
        ),
      );
    }
  });
});
