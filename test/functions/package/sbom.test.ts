import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Component } from '../../../functions/package/licence-notices.ts';
import { componentId, SBOM, writeSbom } from '../../../functions/package/sbom.ts';
import { version } from '../../../functions/search/version.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
import { readSbom } from '../../fixtures/sbom.ts';

const parent = temporaryFolder();
const hash = createHash('sha512').update('an archive');
const digest = hash.copy().digest('hex');
const integrity = `sha512-${hash.digest('base64')}`;
const component = (name: string, licence: string): Component => ({
  type: 'library',
  name,
  version: '1.0.0',
  licence,
  text: '',
  integrity,
});
const model: Component = { type: 'machine-learning-model', name: 'e5', licence: 'MIT', text: '' };

/** Creates a folder with a library and a model's file. */
function makeFolder(): string {
  const folder = mkdtempSync(join(parent, 'sbom-'));
  for (const [part, name] of [
    ['native', 'engine.node'],
    ['model', 'rows.bin'],
  ] as const) {
    mkdirSync(join(folder, part));
    writeFileSync(join(folder, part, name), name);
  }
  writeFileSync(join(folder, 'lambda.mjs'), '');
  return folder;
}
const hashed = ['native', 'model'];

test('a bill of materials is valid, and names packages, licences, hashes and files', async () => {
  const folder = makeFolder();
  const components = [
    component('@scope/b', 'Apache-2.0'),
    component('a', '(MIT OR CC0-1.0)'),
    component('c', 'see the text'),
    model,
  ];
  writeSbom(folder, { name: 'polyseek-function', components, hashed });
  const bom = await readSbom(folder);
  const hashes = [{ alg: 'SHA-512', content: digest }];
  const library = (name: string, purl: string, licenses: object[]) => ({
    type: 'library',
    'bom-ref': purl,
    name,
    version: '1.0.0',
    purl,
    hashes,
    licenses,
  });
  const file = (name: string, text: string) => ({
    type: 'file',
    name,
    hashes: [{ alg: 'SHA-256', content: createHash('sha256').update(text).digest('hex') }],
  });
  expect(bom.components).toEqual([
    { type: 'machine-learning-model', 'bom-ref': 'e5', name: 'e5', licenses: [{ license: { id: 'MIT' } }] },
    library('@scope/b', 'pkg:npm/%40scope/b@1.0.0', [{ license: { id: 'Apache-2.0' } }]),
    library('a', 'pkg:npm/a@1.0.0', [{ expression: '(MIT OR CC0-1.0)' }]),
    library('c', 'pkg:npm/c@1.0.0', [{ license: { name: 'see the text' } }]),
    file('model/rows.bin', 'rows.bin'),
    file('native/engine.node', 'engine.node'),
  ]);
  expect(bom.dependencies).toEqual([
    { ref: `polyseek-function@${version}`, dependsOn: bom.components.slice(0, 4).map(componentIdOf) },
  ]);
});

const componentIdOf = ({ name, version }: { name: string; version?: string }) =>
  componentId(version === undefined ? { name } : { name, version });

test('dependencies are those that are given', async () => {
  const folder = makeFolder();
  const [a, b] = [component('a', 'MIT'), component('b', 'MIT')];
  const needs = new Map([
    [componentId(b), []],
    [componentId(a), [componentId(b)]],
  ]);
  writeSbom(folder, { name: 'polyseek', components: [a, b], direct: [componentId(a)], needs, hashed: [] });
  expect((await readSbom(folder)).dependencies).toEqual([
    { ref: `polyseek@${version}`, dependsOn: ['pkg:npm/a@1.0.0'] },
    { ref: 'pkg:npm/a@1.0.0', dependsOn: ['pkg:npm/b@1.0.0'] },
    { ref: 'pkg:npm/b@1.0.0', dependsOn: [] },
  ]);
});

test('the same contents have the same bytes, in any order and place, and a component is listed once', () => {
  const components = [component('a', 'MIT'), component('b', 'MIT'), model];
  const texts = [components, [...components.toReversed(), components[0]!]].map((list) => {
    const folder = makeFolder();
    writeSbom(folder, { name: 'polyseek-function', components: list, hashed });
    return readFileSync(join(folder, SBOM), 'utf8');
  });
  expect(texts[0]).toBe(texts[1]);
});
