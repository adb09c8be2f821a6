import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { S3Source } from '../../../../index/ingest/sources/s3-source.ts';
import type { SourceFile } from '../../../../index/ingest/sources/source.ts';
import { type Aws, startAws } from '../../../fixtures/aws.ts';
import { createBucket } from '../../../fixtures/aws-setup.ts';
import { missingTools } from '../../../fixtures/tools.ts';

const KEY = { accessKeyId: 'test', secretAccessKey: 'test' };
const clientOf = (endpoint: string, credentials: S3ClientConfig['credentials'] = KEY) =>
  new S3Client({ endpoint, region: 'eu-central-1', credentials, forcePathStyle: true });

test('rejects other addresses', () => {
  for (const address of ['bucket', 's3://', 'https://bucket.s3.amazonaws.com/'])
    expect(() => new S3Source(address)).toThrow('is not an address of S3. Write s3://bucket/prefix.');
});

describe.skipIf(missingTools('moto'))('S3', () => {
  let aws: Aws;

  beforeAll(async () => {
    aws = await startAws();
    await createBucket(aws, 'library');
    const put = (Key: string, Body: string) =>
      aws.s3.send(new PutObjectCommand({ Bucket: 'library', Key, Body }));
    for (const key of [
      'docs/b.txt',
      'docs/a/page.html',
      'docs/.hidden/c.txt',
      'docs/folder/',
      'docs2/d.txt',
      'docs/ü x.md',
      'docs/../e.txt',
    ])
      await put(key, `Content of ${key}`);
  });
  afterAll(() => aws?.stop());

  async function list(address: string, client = aws.s3) {
    const [files, notices]: [SourceFile[], string[]] = [[], []];
    const report = ({ place, reason }: { place: string; reason: string }) =>
      notices.push(`${place}: ${reason}`);
    for await (const file of new S3Source(address, {}, client).files({ report })) files.push(file);
    return { files, notices };
  }
  const contentOf = async (file: SourceFile) => (await buffer(file.open())).toString();

  test('reads the objects below a prefix', async () => {
    for (const address of ['s3://library/docs', 's3://library/docs/']) {
      const { files, notices } = await list(address);
      expect(files.map(({ source, path }) => [source, path])).toEqual([
        ['a/page.html', 's3://library/docs/a/page.html'],
        ['b.txt', 's3://library/docs/b.txt'],
        ['ü x.md', 's3://library/docs/ü x.md'],
      ]);
      expect(await contentOf(files[2]!)).toBe('Content of docs/ü x.md');
      expect(await contentOf(files[2]!)).toBe('Content of docs/ü x.md');
      expect(notices).toEqual(['s3://library/docs/../e.txt: unsafe name']);
    }
  });

  test('reads one object, or all', async () => {
    const one = await list('s3://library/docs/b.txt');
    expect(one.files.map(({ source }) => source)).toEqual(['b.txt']);
    const all = await list('s3://library');
    expect(all.files.map(({ source }) => source)).toEqual([
      'docs/a/page.html',
      'docs/b.txt',
      'docs/ü x.md',
      'docs2/d.txt',
    ]);
  });

  test('lists more objects than a response contains', async () => {
    const client = clientOf(aws.url);
    let pages = 0;
    client.middlewareStack.add(
      (next) => (args) => {
        Object.assign(args.input, { MaxKeys: 2 });
        pages++;
        return next(args);
      },
      { step: 'initialize' },
    );
    const { files } = await list('s3://library/docs', client);
    expect(files.length).toBe(3);
    expect(pages).toBe(4);
  });

  test('ends a listing without end, and reports objects that are too large', async () => {
    // Each answer says that there is more.
    let requests = 0;
    const endless = (contents: (request: number) => string) =>
      createServer((_, response) =>
        response.end(
          `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>${++requests}</NextContinuationToken>${contents(requests)}</ListBucketResult>`,
        ),
      );
    const object = (key: number, size: number) =>
      `<Contents><Key>docs/${key}.txt</Key><Size>${size}</Size></Contents>`;
    for (const [contents, files, large] of [
      [() => '', 0, 0],
      [(request: number) => object(request, 1), 5, 0],
      [(request: number) => object(request, 2 ** 34), 0, 5],
    ] as const) {
      requests = 0;
      const server = endless(contents);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const client = clientOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const source = new S3Source('s3://library/docs', {}, client, { objects: 5, requests: 8 });
      const found = { files: 0, large: 0 };
      const read = async () => {
        const report = ({ reason }: { reason: string }) =>
          expect([reason, ++found.large]).toContain('too large');
        for await (const _ of source.files({ report })) found.files++;
      };
      await expect(read()).rejects.toThrow(
        's3://library/docs: too many objects. Name a prefix with at most 5.',
      );
      expect(found).toEqual({ files, large });
      server.close();
      client.destroy();
    }
  });

  test('gives another version to an object that changed, and does not mix versions', async () => {
    const put = (Body: string) =>
      aws.s3.send(new PutObjectCommand({ Bucket: 'library', Key: 'changing/a.txt', Body }));
    await put('First.');
    const [first] = (await list('s3://library/changing')).files;
    const [same] = (await list('s3://library/changing')).files;
    expect(same!.version).toBe(first!.version);
    await put('Second.');
    await expect(contentOf(first!)).rejects.toThrow(
      's3://library/changing/a.txt: changed while the build ran.',
    );
    const [second] = (await list('s3://library/changing')).files;
    expect(second!.version).not.toBe(first!.version);
    expect(await contentOf(second!)).toBe('Second.');
  });

  test('names what is wrong', async () => {
    await expect(list('s3://missing-bucket/docs')).rejects.toThrow(
      's3://missing-bucket: no such bucket. Check its name.',
    );
    const refusing = createServer((_, response) =>
      response.writeHead(403).end('<Error><Code>AccessDenied</Code><Message>no</Message></Error>'),
    );
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    const { port } = refusing.address() as AddressInfo;
    const refused = clientOf(`http://127.0.0.1:${port}`);
    await expect(list('s3://library', refused)).rejects.toThrow(
      's3://library: access denied. Allow s3:ListBucket',
    );
    refusing.close();
    const { files } = await list('s3://library/docs');
    const allowObjects = aws.fail('GetObject', {
      status: 403,
      name: 'InvalidObjectState',
      message: 'in Glacier',
    });
    await expect(contentOf(files[0]!)).rejects.toThrow(
      's3://library/docs/a/page.html: archived. Restore the object',
    );
    allowObjects();
    const credentials = async () => {
      throw Object.assign(new Error('no providers'), { name: 'CredentialsProviderError' });
    };
    const anonymous = clientOf(aws.url, credentials);
    await expect(list('s3://library', anonymous)).rejects.toThrow(
      's3://library: s3:ListObjectsV2 failed: no AWS credentials. Run aws configure',
    );
  });
});
