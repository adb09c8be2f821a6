import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { version } from '../../../functions/search/version.ts';
import { root } from '../../fixtures/index.ts';

test('the package for Python has the version of the npm package', () => {
  const text = readFileSync(join(root, 'functions/python/pyproject.toml'), 'utf8');
  expect(text).toContain(`\nversion = "${version}"\n`);
});
