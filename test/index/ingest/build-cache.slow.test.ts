import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Document } from '../../../index/documents/document.ts';
import type { Notice } from '../../../index/documents/file.ts';
import { Passages } from '../../../index/format/passages-file.ts';
import { type BuildSummary, buildIndex, planIndex, type TokenSetting } from '../../../index/ingest/build.ts';
import { Cache } from '../../../index/ingest/cache/cache.ts';
import type { BuildProgress } from '../../../index/ingest/read-passages.ts';
import { type FakeEmbedder, fakeEmbedder } from '../../fixtures/fake-embedder.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const cacheFolder = join(folder, 'cache');
const countTokens = (text: string) => Math.ceil(text.length / 4);

beforeEach(() => rmSync(cacheFolder, { recursive: true, force: true }));

/** Makes a section long enough to be a passage of its own. */
const LONG = ' and tells more about boats than anybody would read'.repeat(5);
const NEW = `This section is new${LONG}.`;

/** A page with sections, one passage each, of two sentences. */
function page(name: string, sections = 5): Document {
  const heading = (n: number) => `Topic ${n} of ${name}`;
  return {
    source: `${name}.md`,
    title: name,
    lang: 'en',
    metadata: { name },
    blocks: Array.from({ length: sections }, (_, n): Document['blocks'] => [
      { kind: 'heading', level: 2, text: heading(n) },
      {
        kind: 'paragraph',
        text: `${name} has a section ${n}${LONG}. Boats of ${name} sail to harbour ${n}.`,
      },
    ]).flat(),
  };
}
const PAGES = ['anchor', 'beacon', 'cable', 'dock'].map((name) => page(name));

/** A page in which one paragraph differs. */
function edited({ blocks, ...rest }: Document): Document {
  const text = `${NEW} Nobody has read it so far.`;
  const changed = { kind: 'paragraph' as const, text };
  return { ...rest, blocks: blocks.with(3, changed) };
}

interface Settings {
  embedder?: FakeEmbedder;
  isCached?: boolean;
  tokens?: TokenSetting;
}

/** Builds an index. Returns its files, and what the embedder got. */
async function build(
  documents: Document[],
  { embedder = fakeEmbedder(), isCached = true, tokens }: Settings = {},
) {
  const out = join(folder, 'index');
  const cache = isCached ? new Cache(cacheFolder) : undefined;
  try {
    const { embedded, unchanged } = await buildIndex(documents, out, embedder, countTokens, {
      cache,
      tokens,
    });
    const files = readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'hex')]);
    return { files, embedded, unchanged, texts: embedder.texts };
  } finally {
    cache?.close();
  }
}
const fresh = async (documents: Document[], settings: Settings = {}) =>
  (await build(documents, { ...settings, isCached: false })).files;

test('a first build has nothing unchanged, although passages repeat, and its progress ends', async () => {
  const copies = Array.from({ length: 80 }, (_, i) => ({ ...page('copy'), source: `${i}.md` }));
  const cache = new Cache(cacheFolder);
  const seen: BuildProgress[] = [];
  const planned = vi.fn();
  const built = await buildIndex(copies, join(folder, 'index'), fakeEmbedder(), countTokens, {
    cache,
    planned,
    progress: (progress) => seen.push(progress),
  });
  expect(built).toMatchObject({ passages: 400, embedded: 400, unchanged: 0 });
  const { manifest: _, restricted: none, ...summary } = built;
  expect(none).toEqual([]);
  expect(planned.mock.calls).toEqual([[summary]]);
  const embedding = seen.filter(({ phase }) => phase === 'embedding');
  expect(embedding.at(-1)).toMatchObject({ done: 400, total: 400 });
  const again = await buildIndex(copies, join(folder, 'index'), fakeEmbedder(), countTokens, { cache });
  cache.close();
  expect(again).toMatchObject({ embedded: 0, unchanged: 400 });
});

test('a build says what it read before it embeds anything', async () => {
  const steps: string[] = [];
  const embedder = fakeEmbedder(() => steps.push('embedding'));
  const [first, second] = PAGES;
  const planned = ({ documents, passages, embedded }: BuildSummary) =>
    steps.push(`${documents} documents, ${passages} passages, ${embedded} to embed`);
  const report = ({ reason }: Notice) => steps.push(reason);
  await buildIndex(
    [{ ...first!, id: '1' }, { ...second!, id: '1' }, PAGES[2]!],
    join(folder, 'index'),
    embedder,
    countTokens,
    { planned, report },
  );
  expect(steps.slice(0, 3)).toEqual(['repeated id', '2 documents, 10 passages, 10 to embed', 'embedding']);
});

describe('a second build', () => {
  test('of the same documents embeds nothing and writes the same bytes', async () => {
    const first = await build(PAGES);
    expect(first).toMatchObject({ embedded: 20, unchanged: 0 });
    const second = await build(PAGES);
    expect(second).toMatchObject({ embedded: 0, unchanged: 20, texts: [] });
    expect(first.files).toEqual(await fresh(PAGES));
    expect(second.files).toEqual(first.files);
  });

  test('embeds a changed passage and its sentences only, and writes the bytes of a fresh build', async () => {
    const first = await build(PAGES);
    const changed = PAGES.with(1, edited(PAGES[1]!));
    const second = await build(changed);
    expect(second).toMatchObject({ embedded: 1, unchanged: 19 });
    expect(second.texts.toSorted()).toEqual([
      'Nobody has read it so far.',
      NEW,
      `beacon\nTopic 1 of beacon\n${NEW} Nobody has read it so far.`,
    ]);
    expect(second.files).toEqual(await fresh(changed));
    const reverted = await build(PAGES);
    expect(reverted).toMatchObject({ embedded: 0, files: first.files });
  });

  test('drops removed documents, and keeps the ids of all others', async () => {
    const ids = () => {
      const passages = new Passages(join(folder, 'index/passages.bin'));
      const all = Array.from({ length: passages.count }, (_, i) => passages.get(i));
      passages.close();
      return all.map(({ source, id }) => [source, id]);
    };
    await build(PAGES);
    const before = ids();
    const rest = PAGES.toSpliced(1, 1);
    const second = await build([page('aaa'), ...rest]);
    expect(second).toMatchObject({ embedded: 5, unchanged: 15 });
    const kept = before.filter(([source]) => source !== 'beacon.md');
    expect(ids()).toEqual([...ids().slice(0, 5), ...kept]);
    expect(second.files).toEqual(await fresh([page('aaa'), ...rest]));
  });

  test('with other embeddings does not use those of the first', async () => {
    await build(PAGES);
    const other = fakeEmbedder();
    const model = { ...other.model, hash: 'other' };
    expect(await build(PAGES, { embedder: { ...other, model } })).toMatchObject({ embedded: 20 });
  });

  test('without token states uses embeddings with them, and not the other way around', async () => {
    await build(PAGES, { tokens: 'on' });
    const without = await build(PAGES, { tokens: 'off' });
    expect(without).toMatchObject({ embedded: 0, files: await fresh(PAGES, { tokens: 'off' }) });
    rmSync(cacheFolder, { recursive: true });
    await build(PAGES, { tokens: 'off' });
    expect(await build(PAGES, { tokens: 'off' })).toMatchObject({ embedded: 0 });
    const withTokens = await build(PAGES, { tokens: 'on' });
    expect(withTokens).toMatchObject({ embedded: 20, files: await fresh(PAGES, { tokens: 'on' }) });
  });

  test('after a failed one embeds the rest', async () => {
    let left = 12;
    const failing = fakeEmbedder(() => {
      if (left-- <= 0) throw new Error('No memory.');
    });
    await expect(build(PAGES, { embedder: failing })).rejects.toThrow('No memory.');
    const second = await build(PAGES);
    expect(second.embedded).toBe(16);
    expect(second.files).toEqual(await fresh(PAGES));
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['flipped', (bytes) => bytes.map((byte, i) => (i % 97 === 0 ? byte ^ 1 : byte)) as Buffer],
    ['cut', (bytes) => bytes.subarray(0, bytes.length / 2)],
    ['empty', () => Buffer.alloc(0)],
  ])('with a %s cache writes the same bytes, and repairs it', async (_, damage) => {
    await build(PAGES);
    for (const name of readdirSync(cacheFolder)) {
      const path = join(cacheFolder, name);
      writeFileSync(path, damage(readFileSync(path)));
    }
    const second = await build(PAGES);
    expect(second.embedded).toBeGreaterThan(0);
    expect(second.files).toEqual(await fresh(PAGES));
    expect(await build(PAGES)).toMatchObject({ embedded: 0 });
  });
});

test('a plan says what a build will embed, and embeds nothing', async () => {
  await build(PAGES);
  const documents = [...PAGES.with(2, edited(PAGES[2]!)), page('extra', 3)];
  const cache = new Cache(cacheFolder);
  const embedder = fakeEmbedder();
  const plan = await planIndex(documents, embedder.model, countTokens, { cache });
  expect(plan).toEqual({
    documents: 5,
    passages: 23,
    sentences: 46,
    tokens: true,
    embedded: 4,
    unchanged: 19,
  });
  expect(embedder.texts).toEqual([]);
  const { embedded, unchanged } = await buildIndex(
    documents,
    join(folder, 'planned'),
    embedder,
    countTokens,
    {
      cache,
    },
  );
  expect({ embedded, unchanged }).toEqual({ embedded: 4, unchanged: 19 });
  cache.close();
});

test('a document with a repeated id is reported and skipped', async () => {
  const notices: Notice[] = [];
  const record = (source: string, id: string): Document => ({ ...page('record', 1), source, id });
  const documents = [record('a.jsonl', '1'), record('b.jsonl', '1'), record('b.jsonl', '2')];
  const options = { report: (notice: Notice) => notices.push(notice) };
  const built = await buildIndex(documents, join(folder, 'ids'), fakeEmbedder(), countTokens, options);
  expect(built).toMatchObject({ documents: 2, passages: 2 });
  expect(notices).toEqual([
    {
      kind: 'failed',
      place: 'b.jsonl',
      reason: 'repeated id',
      fix: '"1" is also in a.jsonl. Give each record a unique id.',
    },
  ]);
});

test('a document that cannot be cut or written is reported and skipped', async () => {
  const notices: Notice[] = [];
  const endless = {
    toJSON: () => {
      throw new RangeError('Invalid string length');
    },
  };
  const documents = [
    { ...page('uncut', 1), blocks: [{ kind: 'paragraph' as const, text: 'Uncut.' }] },
    { ...page('record', 1), id: '7', metadata: { endless: endless as unknown as string } },
    page('good', 1),
  ];
  const count = (text: string) => {
    if (text === 'Uncut.') throw new RangeError('Invalid string length');
    return countTokens(text);
  };
  const options = { report: (notice: Notice) => notices.push(notice) };
  const built = await buildIndex(documents, join(folder, 'uncut'), fakeEmbedder(), count, options);
  expect(built).toMatchObject({ documents: 1, passages: 1 });
  const reason = 'cannot be cut into passages';
  const fix = 'Shorten its paragraphs and headings, or exclude it (Invalid string length).';
  expect(notices).toEqual([
    { kind: 'failed', place: 'uncut.md', reason, fix },
    { kind: 'failed', place: 'record.md (7)', reason, fix },
  ]);
});

test('texts in flight are bounded, and progress covers each phase', async () => {
  const embedder = fakeEmbedder();
  const seen: BuildProgress[] = [];
  const documents = Array.from({ length: 40 }, (_, i) => page(`page${i}`, 20));
  await buildIndex(documents, join(folder, 'large'), embedder, countTokens, {
    progress: (progress) => seen.push(progress),
  });
  expect(embedder.texts).toHaveLength(3 * 800);
  expect(embedder.most).toBeLessThanOrEqual(3 * 256);
  const last = (phase: string) => seen.findLast((progress) => progress.phase === phase);
  expect(last('reading')).toEqual({ phase: 'reading', unit: 'documents', done: 40, passages: 800 });
  for (const phase of ['embedding', 'writing'])
    expect(last(phase)).toEqual({ phase, unit: 'passages', done: 800, total: 800 });
});
