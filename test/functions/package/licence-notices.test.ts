import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type Component,
  formatNotices,
  packageFolders,
  readModelLicence,
  readPackageLicence,
} from '../../../functions/package/licence-notices.ts';
import { root, temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();

/** Creates a package in `node_modules` with these fields and files. */
function makePackage(name: string, fields: object, files: Record<string, string> = {}): string {
  const path = join(folder, 'node_modules', name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name, version: '1.2.3', ...fields }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

test('modules belong to the innermost package, and project modules to no package', () => {
  const modules = [
    'node_modules/a/index.js',
    'node_modules/a/lib/b.js',
    'node_modules/a/node_modules/@scope/b/dist/index.js',
    'functions/search/app.ts',
  ];
  expect(packageFolders(modules.map((path) => join(folder, path)))).toEqual(
    ['node_modules/a', 'node_modules/a/node_modules/@scope/b'].map((path) => join(folder, path)),
  );
});

test('a package has its name, version, licence and texts', () => {
  const files = { 'LICENSE.md': 'The licence.\n', NOTICE: 'The notice.\n', 'licenses.js': 'code' };
  expect(readPackageLicence(makePackage('@scope/one', { license: 'Apache-2.0' }, files))).toEqual({
    type: 'library',
    name: '@scope/one',
    version: '1.2.3',
    licence: 'Apache-2.0',
    text: 'The licence.\n\nThe notice.',
  });
  expect(readPackageLicence(makePackage('two', {}, { COPYING: 'Take it.' }))).toEqual({
    type: 'library',
    name: 'two',
    version: '1.2.3',
    licence: 'see the text',
    text: 'Take it.',
  });
});

test('a package of the lock file has the hash in it', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const path = 'node_modules/valibot';
  const { integrity } = lock.packages[path];
  expect(integrity).toMatch(/^sha512-/);
  expect(readPackageLicence(join(root, path))).toMatchObject({ name: 'valibot', integrity });
});

test('a package without a licence file uses the standard text of the MIT licence', () => {
  const { licence, text } = readPackageLicence(makePackage('three', { license: 'MIT' }));
  expect(licence).toBe('MIT');
  expect(text).toMatch(
    /^Copyright \(c\) the authors of three\n\nPermission is hereby granted, free of charge/,
  );
});

test.each([
  [{}, 'no licence text.'],
  [{ license: 'Apache-2.0' }, 'no licence text for Apache-2.0.'],
])('a package with %j and no licence file is refused', (fields, message) => {
  const path = makePackage('four', fields);
  expect(() => readPackageLicence(path)).toThrow(`${path}: ${message} Its code must not ship`);
});

test('a model has the licence in its folder, or is marked as unknown', () => {
  const model = join(folder, 'model');
  mkdirSync(model);
  writeFileSync(join(model, 'LICENSE'), 'MIT\n\nThe text.\n');
  const type = 'machine-learning-model';
  expect(readModelLicence('e5', model)).toEqual({ type, name: 'e5', licence: 'MIT', text: 'The text.' });
  for (const sources of [undefined, folder])
    expect(readModelLicence('e5', sources)).toMatchObject({ type, name: 'e5', licence: 'not recorded' });
});

test('notices contain each text once, and have the same bytes in any order', () => {
  const components: Component[] = [
    { type: 'library', name: 'b', version: '1', licence: 'MIT', text: 'Text one.' },
    { type: 'library', name: 'c', version: '1', licence: 'ISC', text: 'Text two.' },
    { type: 'library', name: 'a', version: '1', licence: 'MIT', text: 'Text one.' },
  ];
  const text = formatNotices('This function', components, ['/*! B */\n', '/*! A */', '/*! B */']);
  const line = '-'.repeat(80);
  expect(text.split(`\n\n${line}\n\n`)).toEqual([
    'This function contains the following third-party work.',
    'a 1, licence: MIT\nb 1, licence: MIT\n\nText one.',
    'c 1, licence: ISC\n\nText two.',
    'Licence comments in bundled code\n\n/*! A */\n/*! B */\n',
  ]);
  expect(formatNotices('This function', components.toReversed(), ['/*! A */', '/*! B */'])).toBe(text);
});
