import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import { describe, expect, test } from 'vitest';
import { checkAsset, requireIndex } from '../../../functions/deployed/asset.ts';
import { copyLibraries } from '../../../functions/package/package-function.ts';
import { type CompiledModel, withChecksum } from '../../../index/format/compiled-model.ts';
import { digestOf } from '../../../index/format/json-file.ts';
import type { Manifest } from '../../../index/format/manifest.ts';
import { SemanticSearch } from '../../../infra/semantic-search.ts';
import {
  defaultModel,
  randomContents,
  temporaryFolder,
  writeIndex,
  writeRandomIndex,
} from '../../fixtures/index.ts';

const LIMIT = 262_144_000;
const PASSAGES = 300;
const folder = temporaryFolder();
const require = createRequire(import.meta.url);
const engine = (processor: string) =>
  join(dirname(require.resolve('onnxruntime-node/package.json')), 'bin/napi-v3', processor);
const { model } = defaultModel();

let made = 0;
const index = join(folder, 'index');
writeRandomIndex(index, PASSAGES, defaultModel());

/** Creates a packaged function with the parts that checkAsset reads. The engine is ONNX Runtime, and the model has no files. */
function makeFunction(processor = 'linux/x64'): string {
  const out = join(folder, `function-${made++}`);
  mkdirSync(join(out, 'model'), { recursive: true });
  writeFileSync(join(out, 'lambda.mjs'), 'export {};');
  writeFileSync(join(out, 'THIRD_PARTY_NOTICES.txt'), '');
  cpSync(engine(processor), join(out, 'native'), { recursive: true });
  writeModel(out, { engine: 'onnx' });
  cpSync(index, join(out, 'index'), { recursive: true });
  return out;
}

/** Writes the default model's `model.json` with changes, and without files. */
function writeModel(out: string, changes: Partial<CompiledModel>): void {
  const { checksum: _, ...rest } = model;
  writeFileSync(
    join(out, 'model/model.json'),
    JSON.stringify(withChecksum({ ...rest, files: {}, ...changes })),
  );
}

/** Total bytes of all files in a folder. */
function sizeOf(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** Extends a file of an index, and updates the manifest. */
function lengthen(out: string, part: string, name: string, bytes: number): void {
  truncateSync(join(out, part, name), bytes);
  const path = join(out, part, 'manifest.json');
  const { version: _, ...rest } = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  rest.files[name] = { ...rest.files[name]!, bytes };
  writeFileSync(path, JSON.stringify({ version: digestOf(rest), ...rest }));
}

test.each([
  ['linux/x64', 'x86_64'],
  ['linux/arm64', 'arm64'],
] as const)('a packaged function for %s is accepted, and its facts are read', (processor, architecture) => {
  const out = makeFunction(processor);
  const { version } = JSON.parse(readFileSync(join(out, 'index/manifest.json'), 'utf8')) as Manifest;
  const bytes = sizeOf(out);
  const perPassage = sizeOf(join(out, 'index')) / PASSAGES;
  const passagesLeft = Math.floor((LIMIT - bytes) / perPassage);
  expect(checkAsset(out, architecture)).toEqual({
    bytes,
    space: { bytes, limit: LIMIT, passages: PASSAGES, passagesLeft },
    index: { version, passages: PASSAGES, model: 'multilingual-e5-small' },
  });
});

test('a packaged function without an index is accepted, and has none', () => {
  const out = makeFunction();
  rmSync(join(out, 'index'), { recursive: true });
  const asset = checkAsset(out, 'x86_64');
  expect(asset).toEqual({ bytes: sizeOf(out), space: undefined, index: undefined });
  expect(() => requireIndex(out, asset)).toThrow(`${out} contains no index.`);
});

test('a packaged function with the project’s own engine needs no other engine', async () => {
  const out = makeFunction();
  writeModel(out, { engine: 'packed' });
  expect(() => checkAsset(out, 'x86_64')).toThrow(
    `${out} is not a packaged function (no native/engine.node)`,
  );
  rmSync(join(out, 'native'), { recursive: true });
  await copyLibraries(join(out, 'native'), 'packed', 'x86_64');
  expect(checkAsset(out, 'x86_64').bytes).toBe(sizeOf(out));
});

test.each([
  'lambda.mjs',
  'THIRD_PARTY_NOTICES.txt',
  'native/onnxruntime_binding.node',
  'model/model.json',
  'index/manifest.json',
])('a folder without %s is not a packaged function', (part) => {
  const out = makeFunction();
  rmSync(join(out, part));
  expect(() => checkAsset(out, 'arm64')).toThrow(
    new Error(
      `${out} is not a packaged function (no ${part}). Create it with npx polyseek package --arch arm64 --out ${out}.`,
    ),
  );
});

test('a missing folder is not a packaged function', () => {
  expect(() => checkAsset(join(folder, 'nothing'), 'x86_64')).toThrow(
    'nothing is not a packaged function (no lambda.mjs)',
  );
});

test.each([
  ['linux/arm64', 'is compiled for arm64, but the function runs on x86_64'],
  ['darwin/arm64', 'is not an ELF library: it begins with cffaedfe'],
  ['win32/x64', 'is not an ELF library: it begins with 4d5a'],
])('libraries for %s are refused', (processor, found) => {
  const out = makeFunction(processor);
  expect(() => checkAsset(out, 'x86_64')).toThrow(`${join(out, 'native')}/`);
  expect(() => checkAsset(out, 'x86_64')).toThrow(found);
});

test('every file of native/ is checked, and the libraries it requires must be beside it', () => {
  const out = makeFunction();
  rmSync(join(out, 'native/libonnxruntime.so.1.14.0'));
  expect(() => checkAsset(out, 'x86_64')).toThrow(
    "requires libonnxruntime.so.1.14.0, which Lambda's Amazon Linux 2023 lacks",
  );
  writeFileSync(join(out, 'native/libonnxruntime.so.1.14.0'), 'text');
  expect(() => checkAsset(out, 'x86_64')).toThrow(
    'native/libonnxruntime.so.1.14.0 is not an ELF library: it begins with 74657874,',
  );
});

test('an index of another model is refused', () => {
  const out = makeFunction();
  writeModel(out, { engine: 'onnx', hash: 'another' });
  expect(() => checkAsset(out, 'x86_64')).toThrow(/was built with the model .* Run npx polyseek index again/);
});

test('one byte below the quota is accepted, but the quota is refused', () => {
  const out = makeFunction();
  const code = join(out, 'lambda.mjs');
  truncateSync(code, LIMIT - 1 - (sizeOf(out) - statSync(code).size));
  expect(checkAsset(out, 'x86_64').bytes).toBe(LIMIT - 1);
  truncateSync(code, statSync(code).size + 1);
  expect(() => checkAsset(out, 'x86_64')).toThrow(": 262.1 MB unzipped, but Lambda's limit is 262.1 MB");
});

test('a refusal lists the largest parts first, and the number of passages that fit', () => {
  const out = makeFunction();
  // An index of 1 MB per passage. Two thirds are text.
  const rest = sizeOf(join(out, 'index')) - sizeOf(join(out, 'index/passages.bin'));
  lengthen(out, 'index', 'graph.bin', 100e6 + sizeOf(join(out, 'index/graph.bin')) - rest);
  lengthen(out, 'index', 'passages.bin', PASSAGES * 1e6 - 100e6);
  const beside = sizeOf(out) - sizeOf(join(out, 'index'));
  const fitting = Math.floor((LIMIT - beside) / (sizeOf(join(out, 'index')) / PASSAGES) / 10) * 10;
  expect(fitting).toBe(240);
  const native = (sizeOf(join(out, 'native')) / 1e6).toFixed(1);
  expect(() => checkAsset(out, 'x86_64')).toThrow(
    new RegExp(
      `^${out}: 31\\d\\.\\d MB unzipped, but Lambda's limit is 262\\.1 MB ` +
        `\\(index/passages\\.bin 200\\.0 MB, index/graph\\.bin \\d+\\.\\d MB, native ${native} MB, .*\\)\\. ` +
        'About 240 of these 300 passages fit\\. Index fewer or shorter passages, build with --tokens off, ' +
        'or set "store": "s3vectors" in cdk\\.json\\.$',
    ),
  );
});

test('collections count towards the quota, and their passages towards those that fit', () => {
  const out = makeFunction();
  cpSync(index, join(out, 'collections/hr'), { recursive: true });
  expect(checkAsset(out, 'x86_64')).toMatchObject({
    space: { bytes: sizeOf(out), passages: 2 * PASSAGES },
    index: { passages: PASSAGES },
  });
  lengthen(out, 'index', 'passages.bin', 150e6);
  lengthen(out, 'collections/hr', 'passages.bin', 160e6);
  expect(() => checkAsset(out, 'x86_64')).toThrow(
    /\(collections\/hr 160\.\d MB, index\/passages\.bin 150\.0 MB, .*\)\. About 470 of these 600 passages fit\. .*/,
  );
});

test('a collection of another model is refused', () => {
  const out = makeFunction();
  writeIndex(join(out, 'collections/hr'), { ...model, hash: 'another' }, randomContents(2, model.dimensions));
  expect(() => checkAsset(out, 'x86_64')).toThrow(/collections\/hr was built with the model .*/);
});

test('a refusal suggests another model if no passage fits beside the model', () => {
  const out = makeFunction();
  writeFileSync(join(out, 'model/encoder.onnx'), '');
  truncateSync(join(out, 'model/encoder.onnx'), 300e6);
  expect(() => checkAsset(out, 'x86_64')).toThrow(
    /\(model 300\.\d MB, .*\)\. Choose a smaller model: this one leaves no space for passages\.$/,
  );
});

describe('synthesis', () => {
  /** Annotations of a stack whose function has this many bytes. */
  function annotationsOf(bytes: number): Annotations {
    const out = makeFunction();
    const code = join(out, 'lambda.mjs');
    truncateSync(code, bytes - (sizeOf(out) - statSync(code).size));
    const stack = new Stack(
      new App({ outdir: join(folder, `cdk-${made}`), context: { [DISABLE_ASSET_STAGING_CONTEXT]: true } }),
      'docs',
    );
    new SemanticSearch(stack, 'Search', { auth: 'iam', code: out });
    return Annotations.fromStack(stack);
  }

  test('says how full the bundle is', () => {
    const annotations = annotationsOf(209_715_200);
    annotations.hasInfo(
      '*',
      Match.stringLikeRegexp(
        '^The function takes 209 of 262 MB \\(80 %\\)\\. About [0-9,]+ more passages fit\\.',
      ),
    );
    annotations.hasNoWarning('*', Match.stringLikeRegexp('MB'));
  });

  test('warns of a bundle that is over 80 % full', () => {
    annotationsOf(235_930_000).hasWarning(
      '*',
      Match.stringLikeRegexp('^The function takes 235 of 262 MB \\(90 %\\)\\. .* Past that: store s3vectors'),
    );
  });
});
