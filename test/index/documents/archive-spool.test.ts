import { expect, test } from 'vitest';
import { spool } from '../../../index/documents/archive/spool.ts';

async function* chunks() {
  for (const text of ['one ', 'two ', 'three']) yield Buffer.from(text);
}

test.each([
  ['memory', 100],
  ['a temporary file', 5],
])('reads content in %s more than once', async (_, memory) => {
  const content = await spool(chunks(), memory);
  for (let i = 0; i < 2; i++) {
    const read: Uint8Array[] = [];
    for await (const chunk of content.open()) read.push(chunk);
    expect(Buffer.concat(read).toString()).toBe('one two three');
  }
  expect(Buffer.isBuffer(content.content)).toBe(memory === 100);
  await content.close();
});
