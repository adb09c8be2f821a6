import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { POLYSEEK } from '../../fixtures/bundle-cli.ts';
import { type ModelFiles, tinyModel, writeModel } from '../../fixtures/models/tiny-model.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'polyseek-take-'));
const sources: string[] = [];
afterAll(() => {
  for (const dir of [work, ...sources]) rmSync(dir, { recursive: true });
});

/** Runs `npx polyseek model` until it ends. */
function model(args: string[], env: Record<string, string> = {}) {
  const { HF_ENDPOINT: _, ...inherited } = process.env;
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [POLYSEEK, 'model', ...args],
      { cwd: root, env: { ...inherited, ...env } },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

function source(files: ModelFiles = {}): string {
  sources.push(writeModel({ ...tinyModel(), ...files }));
  return sources.at(-1)!;
}

/** Creates an empty folder for one run. */
const newParent = () => mkdtempSync(join(work, 'run-'));

/** The files of a model folder but SHA256SUMS, which model-sums.test.ts tests. */
const filesOf = (dir: string) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && file.name !== 'SHA256SUMS')
    .map((file) => join(file.parentPath, file.name).slice(dir.length + 1))
    .sort();

describe('from a folder', () => {
  test('copies the model, and prints a summary and the next commands', async () => {
    const dir = source({
      'config_sentence_transformers.json': { prompts: { query: 'la ' }, similarity_fn_name: 'cosine' },
      'polyseek.json': { calibration: {} },
      'README.md': 'not part of a model',
    });
    const out = join(newParent(), 'taken');
    const { code, stdout, stderr } = await model([`${dir}/`, '--out', out]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`${out}: tiny, 64 dimensions, up to 64 tokens, 575.6 KB\n`);
    expect(stdout).toContain('prefixes: query "la ", passage ""\n');
    expect(stdout).toContain(`npx polyseek learn --model ${out}\n`);
    expect(stdout).toContain(`npx polyseek index PATH --model ${out}\n`);
    expect(filesOf(out)).toEqual(filesOf(dir).filter((name) => name !== 'README.md'));
    for (const name of filesOf(out))
      expect(readFileSync(join(out, name))).toEqual(readFileSync(join(dir, name)));
  });

  test('writes the given prefixes, and skips constants learned with other prefixes', async () => {
    const dir = source({
      'config_sentence_transformers.json': {
        prompts: { query: 'la ', other: 'x' },
        similarity_fn_name: 'cosine',
      },
      'polyseek.json': { calibration: {} },
    });
    const out = join(newParent(), 'taken');
    const { code, stdout } = await model([
      dir,
      '--out',
      out,
      '--passage-prefix',
      'die ',
      '--query-prefix',
      '',
      '--json',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      out,
      name: 'tiny',
      dimensions: 64,
      maxTokens: 64,
      prefixes: { query: '', passage: 'die ' },
      bytes: expect.any(Number),
    });
    expect(JSON.parse(readFileSync(join(out, 'config_sentence_transformers.json'), 'utf8'))).toEqual({
      prompts: { query: '', document: 'die ', other: 'x' },
      similarity_fn_name: 'cosine',
    });
    expect(existsSync(join(out, 'polyseek.json'))).toBe(false);
  });

  test.each<{ name: string; files: ModelFiles; args: string[]; problem: string }>([
    {
      name: 'another architecture',
      files: { 'config.json': { model_type: 't5', hidden_size: 64 } },
      args: [],
      problem: ' has a model of type t5 with absolute positions, but polyseek supports bert,',
    },
    {
      name: 'no weights',
      files: { 'onnx/model_quantized.onnx': undefined },
      args: [],
      problem: ' has no onnx/model.onnx. ',
    },
    {
      name: 'a damaged settings file',
      files: { 'config_sentence_transformers.json': '{' },
      args: ['--query-prefix', 'la '],
      problem: '/config_sentence_transformers.json is not JSON (',
    },
  ])('refuses $name with the source in one line, and leaves no files', async ({ files, args, problem }) => {
    const dir = source(files);
    const parent = newParent();
    const { code, stdout, stderr } = await model([dir, '--out', join(parent, 'taken'), ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr).toContain(`${dir}${problem}`);
    expect(readdirSync(parent)).toEqual([]);
  });

  test('refuses an existing folder, and does not change it', async () => {
    const out = newParent();
    mkdirSync(join(out, 'mine'));
    const { code, stderr } = await model([source(), '--out', out]);
    expect(code).toBe(1);
    expect(stderr).toBe(`${out} exists already. Remove it, or choose another folder.\n`);
    expect(readdirSync(out)).toEqual(['mine']);
  });
});

describe('from the hub', () => {
  const REVISION = '0123456789abcdef0123456789abcdef01234567';

  /** Serves a model folder as the hub does while `run` runs, and collects the requested paths. */
  async function withHub<T>(dir: string, run: (endpoint: string, asked: string[]) => Promise<T>): Promise<T> {
    const asked: string[] = [];
    const prefix = `/someone/tiny/resolve/${REVISION}/`;
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const path = join(dir, (request.url ?? '').slice(prefix.length));
      if (request.url?.startsWith(prefix) && existsSync(path)) {
        const bytes = readFileSync(path);
        response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      } else {
        response.writeHead(404).end();
      }
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      return await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
    } finally {
      server.close();
    }
  }

  test('downloads the files of the revision', async () => {
    const dir = source({ 'config_sentence_transformers.json': { prompts: { document: 'die ' } } });
    const out = join(newParent(), 'taken');
    await withHub(dir, async (HF_ENDPOINT) => {
      const { code, stdout } = await model([`someone/tiny@${REVISION}`, '--out', out], { HF_ENDPOINT });
      expect(stdout).toContain(`${out}: tiny, 64 dimensions`);
      expect(stdout).toContain('prefixes: query "", passage "die "\n');
      expect(code).toBe(0);
    });
    expect(filesOf(out)).toEqual(filesOf(dir));
    for (const name of filesOf(out))
      expect(readFileSync(join(out, name))).toEqual(readFileSync(join(dir, name)));
  });

  test('imports full-precision weights if there are no quantized ones', async () => {
    const { 'onnx/model_quantized.onnx': onnx } = tinyModel();
    const dir = source({ 'onnx/model_quantized.onnx': undefined, 'onnx/model.onnx': onnx });
    const out = join(newParent(), 'taken');
    await withHub(dir, async (HF_ENDPOINT) => {
      expect((await model([`someone/tiny@${REVISION}`, '--out', out], { HF_ENDPOINT })).code).toBe(0);
    });
    expect(filesOf(out)).toEqual(filesOf(dir));
  });

  test('refuses an unsupported model, and leaves no files', async () => {
    const dir = source({ '1_Pooling/config.json': { pooling_mode_mean_tokens: false } });
    const parent = newParent();
    const id = `someone/tiny@${REVISION}`;
    await withHub(dir, async (HF_ENDPOINT) => {
      const { code, stderr } = await model([id, '--out', join(parent, 'taken')], { HF_ENDPOINT });
      expect(code).toBe(1);
      expect(stderr.trimEnd().split('\n').at(-1)).toBe(
        `${id} does not use mean pooling (1_Pooling/config.json), but polyseek does. Choose a model with mean pooling.`,
      );
    });
    expect(readdirSync(parent)).toEqual([]);
  });

  test('names a missing file of a model', async () => {
    const parent = newParent();
    await withHub(source(), async (HF_ENDPOINT, asked) => {
      const args = ['someone/other@v1.0', '--out', `${parent}/taken/`];
      const { code, stderr } = await model(args, { HF_ENDPOINT });
      expect(code).toBe(1);
      expect(stderr).toBe(
        `config.json of someone/other@v1.0 cannot be downloaded (Could not locate file: "${HF_ENDPOINT}/someone/other/resolve/v1.0/config.json"). ` +
          'Check the name, the revision and the network, or name a folder.\n',
      );
      expect(asked).toEqual(['/someone/other/resolve/v1.0/config.json']);
    });
    expect(readdirSync(parent)).toEqual([]);
  });

  test('reports a missing network', async () => {
    const gone = await withHub(work, async (endpoint) => endpoint);
    const parent = newParent();
    const { code, stderr } = await model([`someone/tiny@${REVISION}`, '--out', join(parent, 'taken')], {
      HF_ENDPOINT: gone,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^config\.json of someone\/tiny@\w+ cannot be downloaded \(connect ECONNREFUSED [\d.:]+\)\. Check the name, the revision and the network, or name a folder\.\n$/,
    );
    expect(readdirSync(parent)).toEqual([]);
  });

  test.each(['someone/tiny', 'someone/tiny@main'])(
    'refuses %s because its revision is not fixed',
    async (id) => {
      const { code, stderr } = await model([id]);
      expect(code).toBe(1);
      expect(stderr).toBe(
        `${id} has no fixed revision. Add a commit from the model's history: someone/tiny@REVISION.\n`,
      );
    },
  );

  test('refuses a source that is neither a folder nor a model on the hub', async () => {
    const { code, stderr } = await model(['no/such/folder']);
    expect(code).toBe(1);
    expect(stderr).toBe(
      'no/such/folder is neither a folder nor owner/name@REVISION on the hub. Check the name.\n',
    );
  });
});
