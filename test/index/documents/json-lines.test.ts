import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type JsonLine, parseJsonLines, readJsonLines } from '../../../index/documents/records/json-lines.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const file = join(folder, 'a.jsonl');

async function read(content: string | Buffer, path = file) {
  writeFileSync(path, content);
  const lines: JsonLine[] = [];
  for await (const line of readJsonLines(path)) lines.push(line);
  return lines;
}

const LINES = '{"a": 1}\n\n{"a": "\u2028"}';
const RECORDS = [
  { record: { a: 1 }, place: `${file}:1` },
  { record: { a: '\u2028' }, place: `${file}:3` },
];

describe('JSON Lines', () => {
  it('are read with their line numbers, plain and compressed', async () => {
    expect(await read(LINES)).toEqual(RECORDS);
    const compressed = await read(gzipSync(LINES), `${file}.GZ`);
    expect(compressed.map(({ record }) => record)).toEqual(RECORDS.map(({ record }) => record));
  });

  it('are read from a stream line by line', async () => {
    let sent = 0;
    async function* bytes() {
      for (const part of ['{"a":', '1}\n', '{}\n']) {
        sent++;
        yield Buffer.from(part);
      }
    }
    const lines = parseJsonLines(bytes(), 'standard input');
    expect((await lines.next()).value).toEqual({ record: { a: 1 }, place: 'standard input:1' });
    expect(sent).toBe(2);
  });

  it.each([
    ['{"text":"A."', 'not valid JSON ('],
    ['["A."]', '["A."] is not a JSON object. Write one JSON object a line.'],
    ['null', 'null is not a JSON object. Write one JSON object a line.'],
    [
      `{"a":${'['.repeat(100)}${']'.repeat(100)}}`,
      'nested more than 100 levels deep. Flatten it and try again.',
    ],
    ['['.repeat(100_000) + ']'.repeat(100_000), 'nested more than 100 levels deep.'],
    [`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 'nested more than 100 levels deep.'],
  ])('are rejected with the file and line: %.20s', async (line, message) => {
    await expect(read(`{}\n\n${line}\n`)).rejects.toThrow(`${file}:3: ${message}`);
  });

  it('may nest 100 levels deep', async () => {
    expect(await read(`{"a":${'['.repeat(99)}${']'.repeat(99)}}`)).toHaveLength(1);
  });

  it('are rejected with the file and line if they are not UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"é."}\n{"b":"'), Buffer.from([0xe9]), Buffer.from('"}')]);
    await expect(read(bytes)).rejects.toThrow(`${file}:2: not UTF-8. Save it as UTF-8.`);
  });

  it('are rejected if the compressed file is truncated', async () => {
    const compressed = gzipSync('{"text":"A."}\n'.repeat(100)).subarray(0, -9);
    await expect(read(compressed, `${file}.gz`)).rejects.toThrow(
      /a\.jsonl\.gz: cannot be decompressed \(.*\)\. Compress it again with gzip\.$/,
    );
  });
});
