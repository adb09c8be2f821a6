import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/index.ts';
import { command, killGroup, startGroup, startServer } from '../fixtures/processes.ts';

/** Repeats a check until it holds. A test that waits too long fails by its own limit. */
async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 200));
}

test('a changed file is built with --watch, and a running server answers from the new index', async () => {
  const folder = temporaryFolder();
  const [documents, index] = [join(folder, 'documents'), join(folder, 'index')];
  mkdirSync(documents);
  writeFileSync(join(documents, 'a.md'), '# Harbour\n\nThe harbour opens at six.\n');
  const args = [documents, '--index', index, '--cache', join(folder, 'cache')];
  expect(await command('index', args)).toMatchObject({ code: 0 });
  const server = await startServer(index);
  const watcher = startGroup('index', [...args, '--watch']);
  try {
    let printed = '';
    for (const stream of [watcher.stdout, watcher.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
    await until(() => printed.includes('Watching '));
    const first = async () => {
      const answer = await fetch(`${server.url}/search?q=When+does+the+bakery+open&k=1`);
      return ((await answer.json()) as { results: { source: string }[] }).results[0]!.source;
    };
    expect(await first()).toBe('a.md');
    // The watcher may start to watch a little after it says so, so the file is written until it notices.
    await until(async () => {
      writeFileSync(join(documents, 'b.md'), '# Bakery\n\nThe bakery opens at five.\n');
      return (await first()) === 'b.md';
    });
  } finally {
    await killGroup(watcher);
    await server.stop();
  }
});
