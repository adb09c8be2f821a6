import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { POLYSEEK } from '../fixtures/bundle-cli.ts';
import { root, temporaryFolder, topicsIndex } from '../fixtures/index.ts';
import { finished, startServer } from '../fixtures/processes.ts';

const folder = temporaryFolder();
const log = join(folder, 'log.jsonl');
const at = (day: number) => `2026-11-${day}T08:00:00.000Z`;
const ENTRIES = [
  { timestamp: at(20), q: 'How do I reset my password?', verdict: 'none' },
  { timestamp: at(21), q: 'how do I  reset my password?', verdict: 'possible' },
  { timestamp: at(22), q: 'Ich habe mein Passwort vergessen', verdict: 'none' },
  { timestamp: at(23), q: 'forgot my password', verdict: 'none' },
  { timestamp: at(23), q: 'Do you ship <b>vegan</b> pancakes to Brazil?', verdict: 'possible' },
  { timestamp: at(24), q: 'Where is the lighthouse of Korvane?', verdict: 'answered' },
  { timestamp: at(24), q: 'Where is the lighthouse of Korvane?', helpful: false },
  { timestamp: at(24), q: 'forgot my password', helpful: true },
  { timestamp: at(24), q: 'thanks!', verdict: 'none' },
];

let index: string;
beforeAll(async () => {
  writeFileSync(log, ENTRIES.map((entry) => JSON.stringify(entry)).join('\n'));
  index = await topicsIndex(['en', 'de']);
});

const run = (...args: string[]) =>
  finished(spawn(process.execPath, [POLYSEEK, 'unanswered', ...args], { cwd: root, env: process.env }));

describe('the command unanswered', () => {
  test('groups the questions of a log by meaning, the most asked first', async () => {
    const { code, stdout, stderr } = await run(log, '--index', index);
    expect([code, stderr]).toEqual([0, '']);
    const [summary, first = '', second, third, note] = stdout.trim().split('\n\n');
    expect(summary).toBe('6 searches without a sure answer, in 3 groups');
    expect(first).toMatch(
      /^4 x (forgot my password|How do I reset my password\?|Ich habe .*)\n {4}3 with nothing found; 1 found helpful; (en|de), (en|de)\n/,
    );
    expect(first.match(/^ {4}also: /gm)).toHaveLength(2);
    expect(first.match(/^ {4}near: .+ \(\d\.\d\d\)$/gm)).toHaveLength(3);
    expect(third).toMatch(/^Where is the lighthouse of Korvane\?\n {4}1 found not helpful/);
    expect(second).toMatch(/^1 x Do you ship <b>vegan<\/b> pancakes/);
    expect(note).toBe('Left out: texts that ask nothing, such as greetings (1).');
  });

  test('has a limit, a time and JSON', async () => {
    const { stdout } = await run(log, '--index', index, '--since', '2026-11-23', '--groups', '1', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      asked: 3,
      smallTalk: 1,
      leftOut: 0,
      groups: [
        {
          question: 'Do you ship <b>vegan</b> pancakes to Brazil?',
          asked: 1,
          none: 0,
          helpful: 0,
          unhelpful: 0,
          others: [],
          languages: ['en'],
        },
      ],
    });
  });

  test.each([
    [['missing.jsonl'], 1, /^missing\.jsonl: no such file or directory\. Choose an existing path\.$/m],
    [[log, '--since', 'yesterday'], 2, /^--since yesterday is not a time\. Use 30m, 12h, 7d, 4w or a date/],
  ])('explains what is wrong: %j', async (args, code, message) => {
    const { code: found, stderr } = await run(...args, '--index', index);
    expect(stderr).toMatch(message);
    expect(found).toBe(code);
  });

  test('says so if all questions were answered', async () => {
    const { code, stdout } = await run(log, '--index', index, '--since', '1m');
    expect([code, stdout]).toEqual([0, 'No question without a sure answer in this log.\n']);
  });
});

test('the local server shows the report on a page, and takes feedback', async () => {
  const server = await startServer(index, {}, ['--unanswered', log, '--feedback']);
  try {
    const response = await fetch(`${server.url}/unanswered`);
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    const page = await response.text();
    expect(page).toContain('<p>6 searches without a sure answer, in 3 groups</p>');
    expect(page).toContain('<h2 dir="auto">1 × Do you ship &lt;b>vegan&lt;/b> pancakes to Brazil?</h2>');
    const overview = await (await fetch(`${server.url}/overview`)).json();
    expect(overview).toMatchObject({ takesFeedback: true });
  } finally {
    server.stop();
  }
});
