import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { connect } from '../../../functions/deployed/connect.ts';
import { Bucket } from '../../../index/aws/s3.ts';
import { S3Source } from '../../../index/ingest/sources/s3-source.ts';
import { Generations } from '../../../index/store/s3vectors/generations.ts';
import { Service } from '../../../index/store/s3vectors/publish/service.ts';

/** The owners that calls of S3 expect. */
let expected: unknown[] = [];
const server = createServer((request, response) => {
  expected.push(request.headers['x-amz-expected-bucket-owner']);
  response.writeHead(404).end('<Error><Code>NoSuchKey</Code><Message>None.</Message></Error>');
});

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
beforeEach(() => {
  expected = [];
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

const doors: Record<string, (bucket: string) => Promise<unknown>> = {
  'what commands on a function and the builder call': (name) => {
    const { s3 } = connect({ functionName: 'docs', step: (_, run) => run() });
    return new Bucket(name, s3).find('builder/lock.json');
  },
  'a search in S3 Vectors': (bucket) => new Generations({ bucket, name: 'passages' }, 9).current(),
  'a publication in S3 Vectors': (bucket) =>
    new Service({ bucket, name: 'passages' }).objects.find('work.json'),
  'a source of documents': async (bucket) => {
    const files = new S3Source(`s3://${bucket}/documents`).files({ report: () => {} });
    await files.next().catch(() => {});
  },
};

test.each(Object.entries(doors))(
  '%s requires the owner that the name of a bucket contains',
  async (_, call) => {
    for (const bucket of [
      'cdk-hnb659fds-assets-123456789012-eu-central-1',
      'polyseek-my-docs-123456789012-us-gov-east-1',
    ]) {
      expected = [];
      await call(bucket);
      expect(expected).toEqual(['123456789012']);
    }
  },
);

test('a bucket with another name may belong to anyone', async () => {
  for (const bucket of ['my-docs', 'logs-123456789012-eu-central-1', 'polyseek-docs-eu-central-1']) {
    expected = [];
    await doors['a search in S3 Vectors']!(bucket);
    expect(expected).toEqual([undefined]);
  }
});
