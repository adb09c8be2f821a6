import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Document } from '../../../index/documents/document.ts';
import { readText } from '../../../index/documents/plain/text.ts';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { INDEX_FILES, readManifest } from '../../../index/format/manifest.ts';
import { Passages } from '../../../index/format/passages-file.ts';
import { buildIndex, tokenCounter } from '../../../index/ingest/build.ts';
import { openSearch } from '../../../index/search/index-search.ts';
import {
  defaultModel,
  randomContents,
  randomTokens,
  temporaryFolder,
  writeIndex,
  writeRandomIndex,
} from '../../fixtures/index.ts';

const folder = temporaryFolder();
const { dir, model } = defaultModel();
const contents = (count: number) => ({
  ...randomContents(count, model.dimensions),
  tokens: randomTokens(count, model.dimensions),
});

/** Every file below a folder, with its text. */
function snapshot(path: string): [string, string][] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((name): [string, string] => [name, readFileSync(name, 'latin1')])
    .sort();
}

describe('the output folder', () => {
  test.each([
    ['a foreign file', ['notes.txt']],
    ['a web page and its own manifest.json', ['index.html', 'manifest.json']],
    ['an index and a foreign file', [...INDEX_FILES, 'notes.txt']],
    ['a hidden file', ['.env']],
    ['a folder', ['chapters/one.md']],
  ])('is refused and unchanged if it contains %s', (name, files) => {
    const out = join(folder, name);
    for (const file of files) {
      mkdirSync(join(out, file, '..'), { recursive: true });
      writeFileSync(join(out, file), file);
    }
    const before = snapshot(folder);
    expect(() => writeIndex(out, model, contents(2))).toThrow(
      /^.* contains .*, which is not part of an index\. Choose a new folder, or an index to replace\.$/,
    );
    expect(snapshot(folder)).toEqual(before);
  });

  test('is refused and unchanged if it is a file', () => {
    const out = join(folder, 'file');
    writeFileSync(out, 'mine');
    expect(() => writeIndex(out, model, contents(2))).toThrow(
      `${out} is a file. Choose a new folder, or an index to replace.`,
    );
    expect(readFileSync(out, 'utf8')).toBe('mine');
  });

  test('is replaced if it is an index, empty or missing', () => {
    const out = join(folder, 'new/folders/index');
    expect(writeIndex(out, model, contents(2)).counts.passages).toBe(2);
    expect(writeIndex(out, model, contents(3)).counts.passages).toBe(3);
    expect(readdirSync(out).sort()).toEqual([...INDEX_FILES].sort());
    mkdirSync(join(folder, 'new/empty'));
    writeIndex(join(folder, 'new/empty'), model, contents(2));
    expect(readdirSync(join(folder, 'new/folders'))).toEqual(['index']);
  });

  test('is replaced if it is a symbolic link, and the target of the link is kept', () => {
    const [target, link] = [join(folder, 'target'), join(folder, 'link')];
    writeRandomIndex(target, 2, defaultModel());
    symlinkSync(target, link);
    writeIndex(link, model, contents(3));
    expect(readManifest(link, model, true).counts.passages).toBe(3);
    expect(readManifest(target, model, true).counts.passages).toBe(2);
  });
});

describe('an error keeps the old index', () => {
  const out = join(folder, 'kept');

  test.each([
    ['nothing', [], 'No text found. Formats: .txt, .md, '],
    [
      'a repeated id',
      ['a.jsonl', 'b.jsonl'].map((source): Document => ({ ...readText('A text.', source), id: 'same' })),
      'b.jsonl: repeated id. "same" is also in a.jsonl. Give each record a unique id.',
    ],
  ])('%s', async (_, documents, message) => {
    writeRandomIndex(out, 4, defaultModel());
    const before = snapshot(out);
    const embedder = { model, embed: () => Promise.reject(new Error('No memory.')) };
    await expect(buildIndex(documents, out, embedder, tokenCounter(dir))).rejects.toThrow(message);
    expect(snapshot(out)).toEqual(before);
    expect(readdirSync(folder).filter((name) => name.startsWith('kept.'))).toEqual([]);
  });

  test('a failing embedder', async () => {
    writeRandomIndex(out, 4, defaultModel());
    const before = snapshot(out);
    const failing = { model, embed: () => Promise.reject(new Error('No memory.')) };
    const building = buildIndex([readText('A text.', 'a.txt')], out, failing, tokenCounter(dir));
    await expect(building).rejects.toThrow('No memory.');
    expect(snapshot(out)).toEqual(before);
  });
});

describe('before embedding', () => {
  /** Builds an index with an embedder that only counts calls. Resolves to the error and the count. */
  async function build(documents: Document[], out: string, dimensions = model.dimensions) {
    let embedded = 0;
    const embed = () => {
      embedded++;
      return Promise.resolve(new Float32Array(model.dimensions));
    };
    const counting = { model: { ...model, dimensions }, embed };
    const error = await buildIndex(documents, out, counting, tokenCounter(dir)).catch(String);
    return { error, embedded };
  }
  const story = readText('A text.', 'story.txt');

  test('repeated ids are refused', async () => {
    const records = ['a.jsonl', 'b.jsonl'].map((source): Document => ({ ...story, source, id: '1' }));
    expect(await build(records, join(folder, 'twice'))).toEqual({
      error: 'Error: b.jsonl: repeated id. "1" is also in a.jsonl. Give each record a unique id.',
      embedded: 0,
    });
  });

  test('a folder that cannot be created is refused', async () => {
    const file = join(folder, 'parent.txt');
    writeFileSync(file, '');
    expect(await build([story], join(file, 'index'))).toEqual({
      error: `Error: ${file} is a file. Choose a folder in another place.`,
      embedded: 0,
    });
  });

  test('a disk with too little space is refused', async () => {
    const parent = join(folder, 'small');
    expect(await build([story], join(parent, 'index'), 1e18)).toEqual({
      error: expect.stringMatching(
        /^Error: .*small: [\d.]+ MB free on the disk, but at least \d+\.0 MB needed\. /,
      ),
      embedded: 0,
    });
    expect(readdirSync(parent)).toEqual([]);
  });
});

test('accepts metadata, ids and questions of 100,000 characters', async () => {
  const out = join(folder, 'long');
  const long = 'x'.repeat(100_000);
  const { passages, ...rest } = contents(2);
  writeIndex(out, model, {
    ...rest,
    passages: passages.map((passage, i) => ({
      ...passage,
      id: `${long}${i}`,
      metadata: { long: `${long}${i}` },
    })),
  });
  const search = await openSearch({ index: out, model: dir, verify: true });
  expect((await search.passage(`${long}1`))?.id).toBe(`${long}1`);
  const filter = { long: `${long}0` };
  const { results } = await search.search({ q: 'word0', k: 10, mode: 'lexical', filter });
  expect(results.map(({ id }) => id)).toEqual([`${long}0`]);
});

describe('the same documents', () => {
  const story = readText('The lamp was lit.\n\nThe keeper slept.\n\nThe boat came at dawn.', 'story.txt');
  const other = readText('Bread is baked from flour.', 'bread.txt');

  /** Builds an index. Returns its version, and the ids of each source. */
  async function built(
    name: string,
    documents: Document[],
  ): Promise<{ version: string; ids: [string, string][] }> {
    const out = join(folder, name);
    const embedder = await Embedder.open(dir, { verify: false });
    const { manifest } = await buildIndex(documents, out, embedder, tokenCounter(dir));
    const passages = new Passages(join(out, 'passages.bin'));
    const ids = Array.from({ length: passages.count }, (_, i): [string, string] => {
      const { source, id } = passages.get(i);
      return [source, id];
    });
    passages.close();
    return { version: manifest.version, ids };
  }

  test('give the same version and files, and other documents give another version', async () => {
    const [first, second] = [await built('first', [story, other]), await built('second', [story, other])];
    expect(second.version).toBe(first.version);
    for (const name of INDEX_FILES) {
      expect(
        readFileSync(join(folder, 'second', name)).equals(readFileSync(join(folder, 'first', name))),
      ).toBe(true);
    }
    expect((await built('third', [story])).version).not.toBe(first.version);
    expect((await built('fourth', [other, story])).version).not.toBe(first.version);
  });

  test('keep their ids if other documents are added before, between or after them', async () => {
    const more = readText('Tides follow the moon.', 'tides.txt');
    const { ids } = await built('few', [story, other]);
    const { ids: all } = await built('all', [more, story, readText('More.', 'z.txt'), other]);
    expect(all).toEqual(expect.arrayContaining(ids));
    expect(all.length).toBe(ids.length + 2);
  });
});
