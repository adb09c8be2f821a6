import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { type LogEntry, withMetrics } from '../../../functions/search/log.ts';
import { defaultModel, root, temporaryFolder, writeRandomIndex } from '../../fixtures/index.ts';

const entry: LogEntry = {
  timestamp: '2026-01-02T03:04:05.678Z',
  level: 'INFO',
  requestId: 'id',
  method: 'GET',
  route: '/search',
  status: 200,
  ms: 12.5,
};

const directive = (...Metrics: object[]) => ({
  Timestamp: 1767323045678,
  CloudWatchMetrics: [{ Namespace: 'polyseek', Dimensions: [['function']], Metrics }],
});
const coldStart = { Name: 'ColdStart', Unit: 'Milliseconds' };
const verdicts = [
  { Name: 'Possible', Unit: 'Count' },
  { Name: 'Unanswered', Unit: 'Count' },
];

describe('metrics of a log entry', () => {
  test.each([
    ['answered', 0, 0],
    ['possible', 1, 0],
    ['none', 0, 1],
  ] as const)('the verdict %s counts %i possible and %i unanswered', (verdict, Possible, Unanswered) => {
    expect(withMetrics({ ...entry, verdict }, 'search-fn')).toStrictEqual({
      ...{ ...entry, verdict, function: 'search-fn', Possible, Unanswered },
      _aws: directive(...verdicts),
    });
  });

  test('a cold start is reported with any request', () => {
    expect(withMetrics(entry, 'f', 210.4)).toStrictEqual({
      ...entry,
      function: 'f',
      ColdStart: 210.4,
      _aws: directive(coldStart),
    });
    expect(withMetrics({ ...entry, verdict: 'none' }, 'f', 0)).toStrictEqual({
      ...entry,
      verdict: 'none',
      function: 'f',
      ColdStart: 0,
      Possible: 0,
      Unanswered: 1,
      _aws: directive(coldStart, ...verdicts),
    });
  });

  test('an entry without metrics is unchanged', () => {
    expect(withMetrics(entry, 'f')).toBe(entry);
  });
});

describe('the function', () => {
  const folder = temporaryFolder();
  const index = join(folder, 'index');
  const { dir } = defaultModel();
  beforeAll(() => writeRandomIndex(index, 5));

  /** Starts the function with these settings, invokes it with each event in turn, and returns its log. */
  async function invoke(events: object[], env: Record<string, string>) {
    const script = join(folder, 'invoke.mjs');
    const module = pathToFileURL(join(root, 'functions/search/lambda.ts')).href;
    writeFileSync(
      script,
      `const { handler } = await import(${JSON.stringify(module)});
      for (const event of ${JSON.stringify(events)}) await handler(event).catch(() => {});`,
    );
    return promisify(execFile)(process.execPath, ['--import', 'tsx', script], {
      cwd: root,
      env: { ...process.env, INDEX_DIR: index, MODEL_DIR: dir, ...env },
    });
  }

  test('reports its cold start once, and for each search its verdict', async () => {
    const events = [{ q: '' }, { q: 'word1' }, { q: 'word2' }, { q: '' }];
    const { stdout } = await invoke(events, { AWS_LAMBDA_FUNCTION_NAME: 'search-fn' });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ status }) => status)).toEqual([400, 200, 200, 400]);
    expect(lines.map(({ _aws }) => _aws?.CloudWatchMetrics[0].Metrics)).toEqual([
      [coldStart],
      verdicts,
      verdicts,
      undefined,
    ]);
    expect(lines.map((line) => line.function)).toEqual(['search-fn', 'search-fn', 'search-fn', undefined]);
    expect(lines[0].ColdStart).toBeGreaterThan(0);
    for (const { verdict, answered, Possible, Unanswered } of lines.slice(1, 3)) {
      expect(answered).toBe(verdict === 'answered');
      expect([Possible, Unanswered]).toEqual([verdict === 'possible' ? 1 : 0, verdict === 'none' ? 1 : 0]);
    }
  });

  test('does not start with API_KEYS without keys', async () => {
    await expect(invoke([], { API_KEYS: '' })).rejects.toThrow('API_KEYS is not an object, but must be');
  });
});
