import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { packageFunction } from '../../functions/package/package-function.ts';
import type { Answer } from '../../index/search/answer.ts';
import { parseAddress } from '../../index/store/s3vectors/address.ts';
import { publish } from '../../index/store/s3vectors/publish/publish.ts';
import { SMALL_MODEL, smallModel, temporaryFolder, topicsIndex } from '../fixtures/index.ts';
import { HTTP_API, httpEvent } from '../fixtures/lambda-events.ts';
import { type Invocation, LambdaRuntime } from '../fixtures/lambda-runtime.ts';
import { type S3Vectors, startS3Vectors } from '../fixtures/s3-vectors.ts';
import { missingTools } from '../fixtures/tools.ts';

const folder = temporaryFolder();
const [bundled, remote] = [join(folder, 'bundled'), join(folder, 'remote')];
const ADDRESS = 's3vectors://function-test/passages';
const TIMEOUT = '29';
/** Only this file contains the SDK of AWS. It shares no chunk with the rest. */
const CODE = 'current-index.mjs';
const NO_INDEX = 'There is no index yet. Try again when one has been built and published.';

let index: string;
let modules: { bundled: string[]; remote: string[] };

beforeAll(async () => {
  index = await topicsIndex(['en', 'de']);
  modules = {
    bundled: await packageFunction(index, bundled),
    remote: await packageFunction(undefined, remote, { model: SMALL_MODEL }),
  };
});

test('the code for S3 Vectors is one file, which a function with its index beside it does not contain', () => {
  const isOfSdk = (path: string) => /node_modules\/(@aws|@aws-sdk|@smithy|bowser)\//.test(path);
  expect(modules.bundled.filter(isOfSdk)).toEqual([]);
  expect(modules.remote.some(isOfSdk)).toBe(true);

  const codeIn = (packaged: string) => readdirSync(packaged).filter((name) => name.endsWith('.mjs'));
  expect(codeIn(remote).sort()).toEqual([CODE, ...codeIn(bundled)].sort());
  for (const name of codeIn(remote)) {
    const code = readFileSync(join(remote, name), 'utf8');
    expect(code.includes('QueryVectors'), name).toBe(name === CODE);
    if (name === CODE) expect(code).not.toMatch(/from"\.\//);
  }
  const noticesOf = (packaged: string) => readFileSync(join(packaged, 'THIRD_PARTY_NOTICES.txt'), 'utf8');
  expect(noticesOf(remote)).toContain('\n@aws-sdk/client-s3vectors ');
  expect(noticesOf(bundled)).not.toContain('@aws-sdk');
});

describe.skipIf(missingTools('Node 24', 'aws-lambda-ric'))(
  'the packaged function with an index in S3 Vectors',
  () => {
    let aws: S3Vectors;
    const runtimes: LambdaRuntime[] = [];

    beforeAll(async () => {
      aws = await startS3Vectors();
      const { dimensions } = smallModel().model;
      for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
      await aws.createIndex('function-test', undefined, dimensions);
      await publish(index, parseAddress(ADDRESS));
      await aws.createIndex('later-test', undefined, dimensions);
    });
    afterEach(() => Promise.all(runtimes.splice(0).map((runtime) => runtime.close())));
    afterAll(async () => {
      vi.unstubAllEnvs();
      await aws?.stop();
    });

    function start(of: string, env: Record<string, string> = {}): LambdaRuntime {
      const runtime = new LambdaRuntime({ folder: of, env });
      runtimes.push(runtime);
      return runtime;
    }
    const startRemote = (INDEX = ADDRESS) => start(remote, { ...aws.env, INDEX, TIMEOUT });

    interface Response {
      status: number;
      json: unknown;
      headers: Record<string, string>;
    }
    async function get(runtime: LambdaRuntime, path: string): Promise<Response> {
      const { payload, functionError, log }: Invocation = await runtime.invoke(httpEvent(HTTP_API, { path }));
      expect(functionError, log).toBeUndefined();
      const { statusCode, body, headers } = payload as {
        statusCode: number;
        body: string;
        headers: Record<string, string>;
      };
      return { status: statusCode, json: JSON.parse(body), headers };
    }

    test.each<Record<string, string>>([
      { q: 'How often does the light of the Korvane lighthouse flash?' },
      { q: 'Wer hat die Brücke gebaut?', lang: 'de', context: '1' },
      { q: 'Korvane', mode: 'lexical' },
      { q: 'lighthouse', source: 'en/', k: '20', explain: 'true' },
    ])('answers like the one with the index in its bundle: %j', async (parameters) => {
      const path = `/search?${new URLSearchParams({ k: '5', ...parameters })}`;
      const [own, other] = await Promise.all([get(startRemote(), path), get(start(bundled), path)]);
      expect([own.status, other.status]).toEqual([200, 200]);
      const [answer, expected] = [own.json as Answer, other.json as Answer];
      expect(answer).toMatchObject({ verdict: expected.verdict, index: expected.index });
      expect(expected.results.length).toBeGreaterThan(0);
      expect(answer.results).toHaveLength(expected.results.length);
      for (const [i, result] of answer.results.entries()) {
        // Passages with nearly equal scores may change places, as vectors are rounded.
        expect(result.score).toBeCloseTo(expected.results[i]!.score, 2);
        const same = expected.results.find(({ id }) => id === result.id);
        if (same) expect(result).toMatchObject({ text: same.text, highlight: same.highlight });
      }
      expect(answer.results[0]!.id).toBe(expected.results[0]!.id);
    });

    test('shows the index, its overview and its passages', async () => {
      const [own, other] = [startRemote(), start(bundled)];
      for (const path of ['/health', '/overview']) {
        const { json } = await get(other, path);
        expect((await get(own, path)).json).toEqual(json);
      }
      const { results } = (await get(own, '/search?q=Korvane')).json as Answer;
      const path = `/passages/${encodeURIComponent(results[0]!.id)}?context=2`;
      expect((await get(own, path)).json).toEqual((await get(other, path)).json);
      expect((await get(own, '/passages/none')).status).toBe(404);
    });

    test('answers 503 until the first index is published, and then from it', async () => {
      const address = 's3vectors://later-test';
      const runtime = startRemote(address);
      for (const path of ['/search?q=Korvane', '/health', '/overview', '/passages/x']) {
        const { status, json, headers } = await get(runtime, path);
        expect(status).toBe(503);
        expect(json).toMatchObject({ title: 'Service Unavailable', detail: NO_INDEX });
        expect(headers['retry-after']).toMatch(/^\d+$/);
      }
      expect((await get(runtime, '/openapi.json')).status).toBe(200);
      await publish(index, parseAddress(address));
      expect((await get(runtime, '/search?q=Korvane')).status).toBe(200);
    });

    test('answers 503 if it has no index, and none is named', async () => {
      const { status, json, headers } = await get(start(remote), '/search?q=Korvane');
      expect(status).toBe(503);
      expect(json).toMatchObject({ detail: NO_INDEX });
      expect(headers['retry-after']).toMatch(/^\d+$/);
    });

    test('answers 503 with a sentence if there is no such bucket, or AWS throttles every attempt', async () => {
      const { status, json } = await get(startRemote('s3vectors://no-such-bucket'), '/search?q=Korvane');
      expect(status).toBe(503);
      expect(json).toMatchObject({
        detail: expect.stringMatching(/^The index's S3 bucket does not exist\./),
      });
      const lift = aws.fault({ operation: 'GetObject', kind: 'throttle', times: Number.POSITIVE_INFINITY });
      const throttled = await get(startRemote(), '/search?q=Korvane');
      lift();
      expect(throttled.status).toBe(503);
      expect(throttled.json).toMatchObject({
        detail: expect.stringMatching(/^AWS throttled s3:GetObject at every attempt/),
      });
    });
  },
);
