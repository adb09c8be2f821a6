import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../../functions/search/auth.ts';
import { openApi } from '../../../functions/search/openapi.ts';
import type { Answer } from '../../../index/search/answer.ts';
import { root, topicsIndex } from '../../fixtures/index.ts';
import { finished, startServer } from '../../fixtures/processes.ts';
import { missingTools, tools } from '../../fixtures/tools.ts';

const key = 'ps_key';
const question = 'How often does the light of the Korvane lighthouse flash?';

type Found = [id: string, score: number, source: string][];

interface Printed {
  answer: Answer;
  filtered: Answer['results'];
  passage: { id: string; before?: unknown[]; after?: unknown[] };
  health: { status: string };
  async: [string[][], string];
  errors: unknown[];
  retried: string;
  langchain: [id: string, text: string, metadata: Record<string, unknown>][];
  llama_index: Found;
  haystack: Found;
  models: Record<string, [required: string[], optional: string[]]>;
}

describe.skipIf(missingTools('frameworks for Python'))('the package for Python', () => {
  const python = tools['frameworks for Python'];
  const folder = join(root, 'functions/python');
  const env = { PATH: process.env.PATH, PYTHONPATH: join(folder, 'src'), PYTHONDONTWRITEBYTECODE: '1' };
  let printed: Printed;
  let expected: Answer['results'];

  beforeAll(async () => {
    const API_KEYS = JSON.stringify({ bot: digestOf(key).toString('hex') });
    const server = await startServer(await topicsIndex(['en', 'zh']), { API_KEYS });
    try {
      const headers = { 'x-api-key': key, 'content-type': 'application/json' };
      const body = JSON.stringify({ q: question, k: 3 });
      const response = await fetch(`${server.url}/search`, { method: 'POST', headers, body });
      expected = ((await response.json()) as Answer).results;
      const args = [join(root, 'test/fixtures/python_client.py'), server.url, key, question];
      const { code, stdout, stderr } = await finished(spawn(python, args, { env }));
      expect([code, stderr]).toEqual([0, '']);
      printed = JSON.parse(stdout);
    } finally {
      await server.stop();
    }
  });

  test('asks the endpoint', () => {
    expect(printed.answer).toMatchObject({ q: question, verdict: 'answered' });
    expect(printed.answer.results).toEqual(expected);
    expect(printed.filtered.map(({ lang }) => lang)).toEqual(['zh', 'zh', 'zh']);
    const { passage } = printed;
    expect([passage.id, [...(passage.before ?? []), ...(passage.after ?? [])].length > 0]).toEqual([
      expected[0]!.id,
      true,
    ]);
    expect(printed.health.status).toBe('ok');
    const ids = expected.map(({ id }) => id);
    expect(printed.async).toEqual([[ids, ids], expected[0]!.text]);
  });

  test('reports errors, and repeats only temporary ones', () => {
    expect(printed.errors).toEqual([
      [400, 'k is 0, but must be a whole number from 1 to 100.', true],
      [404, expect.stringContaining('No passage has this id'), true],
      [401, expect.stringContaining('The API key is not valid'), true],
      null,
    ]);
    expect(printed.retried).toBe('ok');
  });

  test('has a retriever for each framework', () => {
    const found = expected.map(({ id, confidence, source }) => [id, confidence, source]);
    expect(printed.llama_index).toEqual(found);
    expect(printed.haystack).toEqual(found);
    expect(printed.langchain.map(([id]) => id)).toEqual(expected.map(({ id }) => id));
    const [, text, metadata] = printed.langchain[0]!;
    const { title, source, lang, confidence } = expected[0]!;
    expect(text).toContain(expected[0]!.text);
    expect(text.length).toBeGreaterThan(expected[0]!.text.length);
    expect(metadata).toMatchObject({
      ...expected[0]!.metadata,
      title,
      source,
      lang,
      confidence,
      verdict: 'answered',
    });
  });

  test('has the models of the OpenAPI document', () => {
    const { schemas } = openApi('http://localhost').components;
    const fields = (name: keyof typeof schemas) => {
      const { properties = {}, required = [] } = schemas[name];
      const optional = Object.keys(properties).filter((field) => !required.includes(field));
      return [[...required].sort(), optional.sort()];
    };
    const { Options, ...models } = printed.models;
    expect(models).toEqual(
      Object.fromEntries(
        (['Answer', 'Result', 'Passage', 'Health', 'Index'] as const).map((name) => [name, fields(name)]),
      ),
    );
    const [, options] = fields('SearchBody');
    expect(Options).toEqual([[], options]);
  });

  test('has correct types', async () => {
    const args = ['-m', 'mypy', '--strict', '--cache-dir', '/dev/null', join(folder, 'src/polyseek')];
    const { code, stdout } = await finished(spawn(python, args, { cwd: folder }));
    expect([code, stdout]).toEqual([0, expect.stringContaining('no issues found')]);
  });
});
