import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { chooseProbes } from '../../../functions/deployed/smoke.ts';
import { findPassages, inspectIndex } from '../../../index/evaluate/inspect-index.ts';
import { Passages } from '../../../index/format/passages-file.ts';
import { publish } from '../../../index/store/s3vectors/publish/publish.ts';
import { temporaryFolder, writeRandomIndex } from '../../fixtures/index.ts';

const index = join(temporaryFolder(), 'index');
const address = { bucket: 'docs', name: 'passages' };
const server = createServer((_, response) => {
  response.writeHead(404).end('<Error><Code>NoSuchKey</Code><Message>None.</Message></Error>');
});
const destroyed = vi.spyOn(S3Client.prototype, 'destroy');

beforeEach(async () => {
  destroyed.mockClear();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterEach(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

test('an inspection of S3 Vectors closes its connections, without an index too', async () => {
  for (const inspection of [inspectIndex, (name: string) => findPassages(name, 'a.md')])
    await expect(inspection('s3vectors://docs/passages')).rejects.toThrow();
  expect(destroyed).toHaveBeenCalledTimes(2);
});

test('a publication closes its connections, without a folder too', async () => {
  await expect(publish(join(index, 'none'), address)).rejects.toThrow('none');
  expect(destroyed).toHaveBeenCalledTimes(1);
});

test.runIf(process.platform === 'linux')('the choice of probes closes its files if one fails', async () => {
  await writeRandomIndex(index, 20);
  const files = () => readdirSync('/proc/self/fd').length;
  await chooseProbes(index);
  const before = files();
  vi.spyOn(Passages.prototype, 'get').mockImplementation(() => {
    throw new Error('damaged');
  });
  await expect(chooseProbes(index)).rejects.toThrow('damaged');
  expect(files()).toBe(before);
});
