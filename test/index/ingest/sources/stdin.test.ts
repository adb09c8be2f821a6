import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { SourceFile } from '../../../../index/ingest/sources/source.ts';
import { StdinSource } from '../../../../index/ingest/sources/stdin.ts';

async function filesOf(source: StdinSource): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const file of source.files()) files.push(file);
  return files;
}

test('is one file, which can be read more than once', async () => {
  const input = (async function* () {
    yield Buffer.from('{"text":"One."}\n');
    yield Buffer.from('{"text":"Two."}\n');
  })();
  const options = { lang: 'en' };
  const source = new StdinSource(options, input);
  const files = await filesOf(source);
  expect(source.options).toBe(options);
  expect(files).toMatchObject([{ source: 'stdin.jsonl', path: 'standard input' }]);
  for (let i = 0; i < 2; i++)
    expect((await buffer(files[0]!.open())).toString()).toBe('{"text":"One."}\n{"text":"Two."}\n');
});

test('ends an input without end', async () => {
  let sent = 0;
  const input = (async function* () {
    for (; ; sent++) yield new Uint8Array(1000);
  })();
  const [file] = await filesOf(new StdinSource({}, input, 2 ** 20));
  await expect(buffer(file!.open())).rejects.toThrow(
    'standard input: too large. Split it into files of at most 1 MiB.',
  );
  expect(sent).toBe(1048);
});

test('does not wait for a terminal', async () => {
  const terminal = Object.assign((async function* () {})(), { isTTY: true });
  await expect(filesOf(new StdinSource({}, terminal))).rejects.toThrow('Standard input is a terminal.');
});
