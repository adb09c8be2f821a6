import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../fixtures/index.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');

test('README.md shows every example, as the tests run it', () => {
  // A block of code whose first line is a comment that names a file.
  const blocks = [...read('README.md').matchAll(/^```ts\n(\/\/ (functions\/\S+\.ts)\n.*?)^```$/gms)];
  const shown = new Map(blocks.map(([, text, path]) => [path, text]));
  const examples = readdirSync(join(root, 'functions/client/examples')).map(
    (name) => `functions/client/examples/${name}`,
  );
  expect([...shown.keys()].sort()).toEqual(examples.sort());
  for (const [path, text] of shown) expect(text).toBe(read(path!));
});
