import { expect, test } from 'vitest';
import { fieldKey } from '../../../index/format/lookup-file.ts';
import { listDocuments, readDocument } from '../../../index/search/browse.ts';
import type { Store } from '../../../index/store/store.ts';

const file = (number: number) => `notes/${String(number).padStart(2, '0')}.md`;

/** 30 documents of 3 passages each, and a long one. An update moved the second passage of the first document to the end. */
const passages = [
  ...Array.from({ length: 30 }, (_, i) =>
    [0, 1, 2].map((position) => ({ source: file(i), position })),
  ).flat(),
  ...Array.from({ length: 45 }, (_, position) => ({ source: 'long.md', position })),
].map((passage) => ({ ...passage, title: `Notes › ${passage.source} › Part`, above: 1, lang: 'en' }));
passages.push(...passages.splice(1, 1));

const store = {
  manifest: { languages: { en: passages.length }, fields: ['lang', 'source'] },
  size: passages.length,
  lists: {
    list: async (key: string) => {
      const ordinals = passages.flatMap(({ source }, ordinal) => {
        const keys = [fieldKey('lang', 'en'), fieldKey('source', source), fieldKey('source', 'notes/')];
        return keys.slice(0, source.startsWith('notes/') ? 3 : 2).includes(key) ? [ordinal] : [];
      });
      return ordinals.length > 0 ? { ordinals: Uint32Array.from(ordinals) } : undefined;
    },
  },
  rows: async (ordinals: number[]) =>
    ordinals.map((ordinal) => {
      const { position, source } = passages[ordinal]!;
      return { passage: () => ({ ...passages[ordinal], text: `${source}#${position}` }) };
    }),
} as unknown as Store;

test('lists each document once, in pages', async () => {
  const first = await listDocuments(store, undefined, 0);
  expect(first.documents).toHaveLength(25);
  expect(first.documents[0]).toEqual({ source: file(0), title: file(0), lang: 'en', passages: 3 });
  const { documents, next } = await listDocuments(store, undefined, first.next!);
  expect(next).toBeUndefined();
  const sources = [...first.documents, ...documents].map(({ source }) => source);
  expect(sources).toEqual([...Array.from({ length: 30 }, (_, i) => file(i)), 'long.md']);
  const folder = await listDocuments(store, 'notes/', first.next!);
  expect(folder.documents).toEqual(documents.slice(0, -1));
  expect(await listDocuments(store, 'none/', 0)).toEqual({ documents: [] });
});

test('reads a document in order, in parts, wherever its passages are', async () => {
  const texts: string[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const part = await readDocument(store, 'long.md', from);
    expect(part).toMatchObject({ title: 'long.md', passages: 45 });
    texts.push(...part!.texts);
    from = part!.next;
  }
  expect(texts).toEqual(Array.from({ length: 45 }, (_, i) => `long.md#${i}`));
  expect((await readDocument(store, file(0), 0))!.texts).toEqual([0, 1, 2].map((i) => `${file(0)}#${i}`));
  for (const [source, from] of [
    ['long.md', 45],
    ['notes/', 0],
    ['none.md', 0],
  ] as const)
    expect(await readDocument(store, source, from)).toBeUndefined();
});
