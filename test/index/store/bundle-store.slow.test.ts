import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSections } from '../../../index/format/container.ts';
import { LOOKUP, Lookup } from '../../../index/format/lookup-file.ts';
import { INDEX_FILES } from '../../../index/format/manifest.ts';
import { PASSAGES, Passages } from '../../../index/format/passages-file.ts';
import { BundleStore } from '../../../index/store/bundle-store.ts';
import {
  defaultModel,
  randomContents,
  randomTokens,
  temporaryFolder,
  writeIndex,
} from '../../fixtures/index.ts';
import { storeContract } from './contract.ts';

storeContract('the bundle', async (index) => {
  const store = BundleStore.open(index, defaultModel().model, true);
  return { store, close: () => store.close() };
});

/** The number of files that this process has open. */
const openFiles = () => readdirSync('/dev/fd').length;

test('a damaged index leaves no file open', () => {
  const folder = join(temporaryFolder(), 'index');
  const { model } = defaultModel();
  const tokens = randomTokens(9, model.dimensions);
  writeIndex(folder, model, { ...randomContents(9, model.dimensions), tokens });
  for (const name of INDEX_FILES.slice(1)) {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.concat([Buffer.of(0), bytes.subarray(1)]));
    const before = openFiles();
    expect(() => BundleStore.open(folder, model, false)).toThrow(`${path} is damaged`);
    expect(openFiles(), name).toBe(before);
    writeFileSync(path, bytes);
  }
  BundleStore.open(folder, model, true).close();
});

test('a file with a damaged table is closed', () => {
  const path = join(temporaryFolder(), 'file.bin');
  const before = openFiles();
  writeFileSync(path, writeSections(PASSAGES, [new Uint8Array(12), new Uint8Array(0)]));
  expect(() => new Passages(path)).toThrow('its table of passages has 12 bytes');
  writeFileSync(path, writeSections(LOOKUP, [new Uint8Array(12), new Uint8Array(0)]));
  expect(() => new Lookup(path, 9)).toThrow('its table has 12 bytes');
  expect(openFiles()).toBe(before);
});
