import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { normalized } from '../../../../../index/embedding/embedder.ts';
import type { CompiledModel } from '../../../../../index/format/compiled-model.ts';
import { readManifest, restrictedFolder, restrictedIn } from '../../../../../index/format/manifest.ts';
import type { Address } from '../../../../../index/store/s3vectors/address.ts';
import { readGeneration, readGone } from '../../../../../index/store/s3vectors/generation.ts';
import { takeJournal } from '../../../../../index/store/s3vectors/publish/journal.ts';
import { pruneIndex, rollBackTo, versionsOf } from '../../../../../index/store/s3vectors/publish/manage.ts';
import { movePointer, readPointer } from '../../../../../index/store/s3vectors/publish/pointer.ts';
import { publish } from '../../../../../index/store/s3vectors/publish/publish.ts';
import { restoreIndex } from '../../../../../index/store/s3vectors/publish/restore.ts';
import { Service } from '../../../../../index/store/s3vectors/publish/service.ts';
import { readPlace } from '../../../../../index/store/s3vectors/row.ts';
import {
  defaultModel,
  gaussian,
  type IndexContents,
  randomContents,
  randomNumbers,
  randomTokens,
  temporaryFolder,
  writeIndex,
} from '../../../../fixtures/index.ts';
import { published, readObject } from '../../../../fixtures/published.ts';
import { type S3Vectors, startS3Vectors } from '../../../../fixtures/s3-vectors.ts';

const DIMENSIONS = 16;
/** Time between attempts is short in tests. */
const speed = 1000;

const folder = temporaryFolder();
const model: CompiledModel = { ...defaultModel().model, dimensions: DIMENSIONS };

let aws: S3Vectors;
beforeAll(async () => {
  aws = await startS3Vectors();
  for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
});
afterAll(() => aws.stop());

let buckets = 0;
let address: Address;
beforeEach(async () => {
  address = { bucket: `bucket-${buckets++}`, name: 'passages' };
  await aws.createIndex(address.bucket, address.name, DIMENSIONS);
  aws.calls.length = 0;
});
afterEach(() => vi.useRealTimers());

/** Later than requests that may still read a replaced generation. */
function minutesLater(minutes: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + minutes * 60_000 });
}

let folders = 0;
/** Writes a local index. @param restricted contents that only a group may search */
function write(contents: IndexContents, of = model, restricted: [string, IndexContents][] = []): string {
  const path = join(folder, `index-${folders++}`);
  writeIndex(path, of, contents);
  for (const [i, [group, own]] of restricted.entries())
    writeIndex(restrictedFolder(path, i), of, own, [group]);
  return path;
}

/** Contents with token states. */
const contentsOf = (count: number): IndexContents => ({
  ...randomContents(count, DIMENSIONS),
  tokens: randomTokens(count, DIMENSIONS),
});

/** Those passages of contents for which a test returns true; `revised` ones get another text. */
function edition(
  all: IndexContents,
  keeps: (i: number) => boolean,
  revised: readonly number[] = [],
): IndexContents {
  const kept = <T>(list: readonly T[]) => list.filter((_, i) => keeps(i));
  const passages = all.passages.map((passage, i) =>
    revised.includes(i) ? { ...passage, text: `${passage.text} revised` } : passage,
  );
  const [vectors, sentences, tokens] = [kept(all.vectors), kept(all.sentences), kept(all.tokens ?? [])];
  return { documents: vectors.length, passages: kept(passages), vectors, sentences, tokens };
}

const writes = () => aws.calls.filter(({ operation }) => /^(Put|Delete)/.test(operation));
const uploaded = () =>
  aws.calls
    .filter(({ operation }) => operation === 'PutVectors')
    .reduce((sum, { vectors }) => sum + vectors, 0);

/** The files of an index whose bytes do not depend on how its vectors were rounded. */
function exactFiles(index: string): Record<string, Buffer> {
  const names = ['passages.bin', 'sentences.bin', 'tokens.bin', 'languages.bin', 'lookup.bin'];
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(index, name))]));
}

/** Expects that a generation has exactly the content of a local index. */
async function expectIndex(local: string, generation?: number): Promise<void> {
  const target = join(folder, `restored-${folders++}`);
  await restoreIndex(address, target, { generation, speed });
  expect(exactFiles(target)).toEqual(exactFiles(local));
  const [found, expected] = [restrictedIn(target), restrictedIn(local)];
  expect(found.map((one) => exactFiles(one))).toEqual(expected.map((one) => exactFiles(one)));
  const access = (one: string) => readManifest(one, undefined, true).access;
  expect(found.map(access)).toEqual(expected.map(access));
}

/** Expects that the buckets have what these generations need, and nothing else. */
async function expectNothingBut(generations: readonly number[]): Promise<void> {
  const { vectors, objects } = await aws.everything(address.bucket);
  const keys = new Set<string>();
  const names = new Set(['current.json', 'journal.json']);
  const numbers = new Set(generations);
  for (const number of numbers) {
    const bytes = await readObject(
      aws.s3,
      address.bucket,
      `${address.name}/generations/${number}/manifest.json`,
    );
    const { segments, files, restricted = [] } = readGeneration(bytes, 'manifest');
    for (const { generation } of restricted) numbers.add(generation);
    for (const name of ['manifest.json', ...Object.keys(files)]) names.add(`generations/${number}/${name}`);
    for (const segment of segments) {
      const gone = new Set(readGone(segment, undefined, 'manifest'));
      for (let row = 0; row < segment.rows; row++) if (!gone.has(row)) keys.add(`${segment.id}/${row}`);
      for (const name of Object.keys(segment.files)) names.add(`segments/${segment.id}/${name}`);
    }
  }
  const below = (all: Iterable<string>) => [...all].map((name) => `${address.name}/${name}`).sort();
  expect(Object.keys(vectors).sort()).toEqual(below(keys));
  expect(Object.keys(objects).sort()).toEqual(below(names));
}

describe('publish', () => {
  test('uploads a whole index first, then only passages that are new or changed, and nothing without changes', async () => {
    const all = contentsOf(60);
    const first = write(edition(all, (i) => i < 50));
    expect(await publish(first, address)).toMatchObject({
      status: 'published',
      generation: 1,
      passages: 50,
      uploaded: 50,
      kept: 0,
      removed: 0,
    });
    expect(uploaded()).toBe(50);
    await expectIndex(first);
    aws.calls.length = 0;
    expect(await publish(first, address)).toMatchObject({
      status: 'unchanged',
      generation: 1,
      uploaded: 0,
      bytes: 0,
    });
    expect(writes()).toEqual([]);

    const second = write(edition(all, (i) => i !== 3 && i !== 17, [0, 20]));
    expect(await publish(second, address)).toMatchObject({
      status: 'published',
      generation: 2,
      passages: 58,
      uploaded: 12,
      kept: 46,
      removed: 4,
    });
    expect(uploaded()).toBe(12);
    await expectIndex(second);
    // A rollback and requests that run find the generation before.
    await expectIndex(first, 1);
    await expectNothingBut([1, 2]);
  });

  test('uploads vectors of length 1 that are as near to the embeddings as those of the local index', async () => {
    const all = contentsOf(30);
    await publish(write(all), address);
    const { vectors } = await aws.everything(address.bucket);
    const stored = Object.entries(vectors).map(
      ([key, { data }]) => [Number(key.split('/').at(-1)), data] as const,
    );
    expect(stored).toHaveLength(30);
    for (const [row, data] of stored) {
      expect(Math.hypot(...data)).toBeCloseTo(1, 6);
      data.forEach((value, i) => {
        expect(value).toBeCloseTo(all.vectors[row]![i]!, 2);
      });
    }
  });

  test('publishes a new generation without rows if only the order of the passages changes', async () => {
    const all = contentsOf(20);
    await publish(write(all), address);
    aws.calls.length = 0;
    const reversed: IndexContents = {
      documents: all.documents,
      passages: all.passages.toReversed(),
      vectors: all.vectors.toReversed(),
      sentences: all.sentences.toReversed(),
      tokens: all.tokens!.toReversed(),
    };
    const second = write(reversed);
    expect(await publish(second, address)).toMatchObject({
      generation: 2,
      uploaded: 0,
      kept: 20,
      removed: 0,
    });
    expect(uploaded()).toBe(0);
    await expectIndex(second);
  });

  test('groups of duplicates keep their numbers when ordinals change, and rows change when their group does', async () => {
    const all = contentsOf(20);
    await publish(write({ ...edition(all, (i) => i > 0), duplicates: [[4, 7]] }), address);
    aws.calls.length = 0;
    // One passage more at the start, so all ordinals move.
    const moved = write({ ...all, duplicates: [[5, 8]] });
    expect(await publish(moved, address)).toMatchObject({ uploaded: 1, kept: 19 });
    await expectIndex(moved);
    const apart = write(all);
    expect(await publish(apart, address)).toMatchObject({ uploaded: 2, kept: 18 });
    await expectIndex(apart);
  });

  test('uploads all passages again for another model, and with rewrite', async () => {
    const all = contentsOf(10);
    await publish(write(all), address);
    const other = { ...model, hash: 'f'.repeat(64) };
    expect(await publish(write(all, other), address)).toMatchObject({ uploaded: 10, removed: 10 });
    expect(await publish(write(all), address, { rewrite: true })).toMatchObject({
      generation: 3,
      uploaded: 10,
    });
  });

  test('keeps rows that exceed the limit of metadata in an object', async () => {
    const all = contentsOf(5);
    const long = 'A sentence of some words. '.repeat(2000);
    const passages = all.passages.map((passage, i) =>
      i % 2 === 1 ? { ...passage, text: `${long}${i}` } : passage,
    );
    const local = write({ ...all, passages });
    await publish(local, address);
    const { vectors } = await aws.everything(address.bucket);
    const places = Object.entries(vectors).map(([key, { metadata }]) => readPlace(metadata, key));
    expect(places.filter((place) => 'start' in place)).toHaveLength(2);
    await expectIndex(local);
    const second = write(edition({ ...all, passages }, (i) => i !== 1));
    await publish(second, address);
    await expectIndex(second);
  });

  test.each([
    ['the source of a passage', { source: `${'folder/'.repeat(60)}file.txt` }, 'source has the most'],
    ['a field of a passage', { metadata: { keywords: ['x'.repeat(2000)] } }, 'keywords has the most'],
  ])(
    'refuses %s that exceeds the limit of filters, before it uploads anything',
    async (_, change, advice) => {
      const all = contentsOf(5);
      const passages = all.passages.map((passage, i) => (i === 3 ? { ...passage, ...change } : passage));
      const failed = publish(write({ ...all, passages }), address);
      await expect(failed).rejects.toThrow(
        /\(passage p3\): its fields have \d+ bytes, but S3 Vectors allows 2048/,
      );
      await expect(failed).rejects.toThrow(advice);
      expect(writes()).toEqual([]);
    },
  );

  test.each([
    [
      'no bucket',
      { bucket: 'no-such-bucket', name: 'passages' },
      /no vector bucket no-such-bucket with a vector index passages\. Deploy the stack with/,
    ],
    [
      'no vector index',
      { bucket: 'bucket-0', name: 'others' },
      /no vector bucket bucket-0 with a vector index others\. Deploy the stack with/,
    ],
  ])('says what to do if there is %s', async (_, missing, message) => {
    await expect(publish(write(contentsOf(3)), missing)).rejects.toThrow(message);
    expect(writes()).toEqual([]);
  });

  test('says so if the vector index was made for another model', async () => {
    const contents = { ...randomContents(3, 32), tokens: randomTokens(3, 32) };
    const failed = publish(write(contents, { ...model, dimensions: 32 }), address);
    await expect(failed).rejects.toThrow('it has 16 dimensions, but the model multilingual-e5-small has 32');
  });
});

describe('an interrupted publication', () => {
  /** Publishes until this many passages are uploaded, and at most the batches that then run. */
  async function interrupted(index: string, passages: number, batch = 10): Promise<number> {
    const controller = new AbortController();
    const progress = ({ phase, done }: { phase: string; done: number }) => {
      if (phase === 'uploading' && done >= passages) controller.abort(new Error('Interrupted.'));
    };
    await expect(publish(index, address, { signal: controller.signal, progress, batch })).rejects.toThrow(
      'Interrupted.',
    );
    return uploaded();
  }

  test('continues after the last batch that is written, and leaves the same bytes as one without a break', async () => {
    const all = contentsOf(190);
    const index = write(all);
    const before = await interrupted(index, 1);
    expect(before).toBeGreaterThanOrEqual(10);
    expect(before).toBeLessThan(100);
    // Nothing is visible.
    expect((await published(aws, address.bucket)).manifest).toBeUndefined();
    aws.calls.length = 0;
    expect(await publish(index, address)).toMatchObject({ generation: 1, uploaded: 190 });
    expect(uploaded()).toBe(190 - before);
    const resumed = await published(aws, address.bucket);
    expect(resumed.leftovers).toEqual([]);

    const other = { bucket: `${address.bucket}-whole`, name: 'passages' };
    await aws.createIndex(other.bucket, other.name, DIMENSIONS);
    await publish(index, other);
    expect(resumed).toEqual(await published(aws, other.bucket));
  });

  test('is deleted by a publication with other passages, once that is current', async () => {
    const all = contentsOf(120);
    await publish(write(edition(all, (i) => i < 10)), address);
    await interrupted(write(edition(all, (i) => i < 110)), 1);
    await expectIndex(write(edition(all, (i) => i < 10)));
    minutesLater(2);
    const last = write(edition(all, (i) => i < 15));
    expect(await publish(last, address)).toMatchObject({ generation: 3, uploaded: 5 });
    await expectIndex(last);
    await expectNothingBut([1, 3]);
  });

  test('is deleted by a publication without changes', async () => {
    const all = contentsOf(100);
    const first = write(edition(all, (i) => i < 10));
    await publish(first, address);
    await interrupted(write(all), 1);
    expect(await publish(first, address)).toMatchObject({ status: 'unchanged', generation: 1 });
    await expectNothingBut([1]);
    await expectIndex(first);
  });

  test('is invisible with all its rows, until current.json changes', async () => {
    const all = contentsOf(40);
    const [first, second] = [write(edition(all, (i) => i < 30)), write(all)];
    await publish(first, address);
    const { manifest, rows } = await published(aws, address.bucket);
    aws.calls.length = 0;
    expect(await interrupted(second, 10, 500)).toBe(10);
    expect(await published(aws, address.bucket)).toMatchObject({ manifest, rows });
    await publish(second, address);
    const current = aws.calls.findIndex(
      ({ operation, key }) => operation === 'PutObject' && key?.endsWith('current.json'),
    );
    // Afterwards only the journal is written.
    const later = aws.calls.slice(current + 1).filter((call) => writes().includes(call));
    expect(later.every(({ key }) => key === 'passages/journal.json')).toBe(true);
    await expectIndex(second);
  });
});

describe('an index with parts that only some groups may search', () => {
  const all = contentsOf(40);
  const everyone = edition(all, (i) => i < 20);
  const hr = edition(all, (i) => i >= 20 && i < 30);
  const it = edition(all, (i) => i >= 30);

  test('is published as one: parts without changes stay, and parts that are gone are deleted', async () => {
    const first = write(everyone, model, [
      ['hr', hr],
      ['it', it],
    ]);
    expect(await publish(first, address)).toMatchObject({ passages: 40, uploaded: 40, removed: 0 });
    await expectIndex(first);
    const was = (await versionsOf(address))[0]!.generation;
    await expectNothingBut([was]);
    aws.calls.length = 0;
    expect(await publish(first, address)).toMatchObject({ status: 'unchanged', generation: was, kept: 40 });
    expect(writes()).toEqual([]);

    // One more passage for `hr` alone.
    const more = edition(all, (i) => i === 0 || (i >= 20 && i < 30));
    const second = write(everyone, model, [
      ['it', it],
      ['hr', more],
    ]);
    minutesLater(2);
    const { generation } = await publish(second, address);
    expect(uploaded()).toBe(1);
    await expectIndex(second);
    await expectNothingBut([was, generation]);
    expect(await versionsOf(address)).toMatchObject([{ generation }, { generation: was }]);
    expect(await rollBackTo(address, undefined)).toMatchObject({ live: was });
    await expectIndex(first);

    minutesLater(4);
    const third = write(everyone, model, [['hr', hr]]);
    expect(await publish(third, address)).toMatchObject({ uploaded: 0, kept: 30, removed: 10 });
    await expectIndex(third);
    minutesLater(6);
    expect(await pruneIndex(address, 1)).toMatchObject({ kept: [expect.any(Number)] });
    await expectNothingBut((await versionsOf(address)).map(({ generation }) => generation));
    await expectIndex(third);
  });

  test('with a damaged generation is named, and replaced with rewrite', async () => {
    const first = write(everyone, model, [['hr', hr]]);
    await publish(first, address);
    const service = new Service(address);
    await service.objects.put('generations/1/manifest.json', Buffer.from('{"format":1'));
    service.close();
    const second = write(
      edition(all, (i) => i < 19),
      model,
      [['hr', hr]],
    );
    await expect(publish(second, address)).rejects.toThrow(
      /generations\/1\/manifest\.json is damaged.*--rewrite/,
    );
    const { generation } = await publish(second, address, { rewrite: true });
    await expectIndex(second);
    await expectNothingBut([generation]);
  });

  test('continues where it was interrupted, and is invisible until then', async () => {
    const before = write(everyone);
    await publish(before, address);
    const whole = write(everyone, model, [
      ['hr', hr],
      ['it', it],
    ]);
    aws.calls.length = 0;
    for (const before_ of [0, 10]) {
      const controller = new AbortController();
      const progress = () => {
        if (uploaded() > before_) controller.abort(new Error('Interrupted.'));
      };
      await expect(
        publish(whole, address, { signal: controller.signal, progress, batch: 5 }),
      ).rejects.toThrow('Interrupted.');
      expect(uploaded()).toBeGreaterThan(before_);
      await expectIndex(before);
    }
    await publish(whole, address, { batch: 5 });
    expect(uploaded()).toBe(20);
    await expectIndex(whole);
    minutesLater(2);
    await publish(before, address);
    await expectIndex(before);
    const numbers = (await versionsOf(address)).map(({ generation }) => generation);
    await expectNothingBut(numbers);
  });
});

describe('two publications', () => {
  test('run one after the other: the second says who runs, or waits', async () => {
    const service = new Service(address);
    const journal = await takeJournal(service, { owner: 'a test' });
    const index = write(contentsOf(5));
    await expect(publish(index, address)).rejects.toThrow(
      /^Another command changes this index \(a test\)\. Wait until/,
    );
    const waiting = publish(index, address, { patience: 60_000 });
    await journal.release();
    expect(await waiting).toMatchObject({ status: 'published' });
    service.close();
  });

  test('take over from a process that ended without a word, after a minute', async () => {
    const service = new Service(address);
    await takeJournal(service, { owner: 'a test' });
    const index = write(contentsOf(5));
    await expect(publish(index, address)).rejects.toThrow('Another command changes this index');
    minutesLater(2);
    expect(await publish(index, address)).toMatchObject({ status: 'published' });
    service.close();
  });

  test.each([-3, 3])('succeed although a clock jumps by %i days between them, after a kill', async (days) => {
    const all = contentsOf(40);
    const [first, second] = [write(edition(all, (i) => i < 30)), write(all)];
    minutesLater(-days * 1440);
    await publish(first, address);
    // It is killed: its lease stays.
    const service = new Service(address);
    await takeJournal(service, { owner: 'a test' });
    service.close();
    vi.useRealTimers();
    expect(await publish(second, address)).toMatchObject({ generation: 2 });
    await expectIndex(second);
    minutesLater(4 * 1440);
    await pruneIndex(address, 1);
    await expectIndex(second);
    expect(await versionsOf(address)).toMatchObject([{ generation: 2, current: true }]);
  });

  test('cannot both become current: the slower one fails, and leaves nothing that searches see', async () => {
    const all = contentsOf(40);
    const [first, second] = [write(edition(all, (i) => i < 30)), write(all)];
    await publish(first, address);
    aws.before('PutVectors', async () => {
      // As a process does that lost its lease without noticing.
      const service = new Service(address);
      await movePointer(service, await readPointer(service), 1);
      service.close();
    });
    await expect(publish(second, address)).rejects.toThrow(
      /another command has changed the current generation/,
    );
    await expectIndex(first);
    expect(await versionsOf(address)).toMatchObject([{ generation: 1, current: true }]);
    expect(await publish(second, address)).toMatchObject({ generation: 2 });
    await expectIndex(second);
  });

  test('of which the first was taken over: it stops, and the second wins', async () => {
    const all = contentsOf(40);
    const [first, second] = [write(edition(all, (i) => i < 30)), write(all)];
    let other: unknown;
    aws.before('PutVectors', async () => {
      minutesLater(2);
      other = await publish(second, address);
    });
    await expect(publish(first, address)).rejects.toThrow('Another command has taken over this index.');
    expect(other).toMatchObject({ status: 'published', passages: 40 });
    await expectIndex(second);
    // Rows of the first that arrived after the second had finished are found by a look at all vectors.
    await pruneIndex(address, 2);
    const [newest] = await versionsOf(address);
    await expectNothingBut([newest!.generation]);
  });
});

describe('failures', () => {
  test('of the first attempt of every write pass', async () => {
    const all = contentsOf(30);
    const [first, second] = [write(edition(all, (i) => i < 25)), write(edition(all, (i) => i > 2))];
    const [plain, faulty] = [address, { ...address, bucket: `${address.bucket}-faulty` }];
    await publish(first, plain);
    await publish(second, plain);
    await aws.createIndex(faulty.bucket, faulty.name, DIMENSIONS);
    const removers = ['PutObject', 'PutVectors'].flatMap((operation) =>
      Array.from({ length: 30 }, (_, i) =>
        aws.fault({ kind: 'lost-answer', operation, nth: 2 * i + 1, bucket: faulty.bucket }),
      ),
    );
    await publish(first, faulty, { speed });
    await publish(second, faulty, { speed });
    // Ten writes of an object and one of vectors in each publication, at least.
    expect(removers.reduce((sum, remove) => sum + remove(), 0)).toBeGreaterThan(22);
    expect(await published(aws, faulty.bucket)).toEqual(await published(aws, plain.bucket));
  });

  test('that do not pass end with a sentence', async () => {
    const remove = aws.fault({ kind: 'throttle', operation: 'PutVectors', times: Infinity });
    const failed = await publish(write(contentsOf(3)), address, { speed: 100_000 }).catch(
      (error: Error) => error.message,
    );
    expect(remove()).toBe(8);
    expect(failed).toMatch(
      /^s3vectors:\/\/bucket-\d+\/passages: s3vectors:PutVectors was throttled at every attempt\. Wait a minute, then run/,
    );
  });
});

describe('generations', () => {
  test('that are not kept are deleted with exactly the rows and objects that no other needs, edition by edition', async () => {
    const all = contentsOf(120);
    const random = randomNumbers(5);
    const revised: number[] = [];
    const editions: string[] = [];
    for (let edition_ = 1; edition_ <= 12; edition_++) {
      minutesLater(2 * edition_);
      if (edition_ > 1) revised.push(...Array.from({ length: 4 }, () => Math.floor(random() * 120)));
      const [from, to] = [Math.floor(random() * 20), 100 + Math.floor(random() * 20)];
      const local = write(edition(all, (i) => i >= from && i < to && i % 13 !== edition_ % 13, revised));
      editions.push(local);
      expect(await publish(local, address)).toMatchObject({ status: 'published', generation: edition_ });
      await expectNothingBut([edition_, edition_ - 1].filter((number) => number > 0));
      if (edition_ % 4 === 0) {
        await expectIndex(local);
        await expectIndex(editions.at(-2)!, edition_ - 1);
      }
      const { manifest } = (await published(aws, address.bucket)) as { manifest: { segments: object[] } };
      expect(manifest.segments.length).toBeLessThanOrEqual(9);
    }
  });

  test('that were replaced within the last minute stay, whatever their number', async () => {
    const all = contentsOf(20);
    for (let count = 11; count <= 15; count++) await publish(write(edition(all, (i) => i < count)), address);
    await expectNothingBut([1, 2, 3, 4, 5]);
    minutesLater(2);
    await publish(write(edition(all, (i) => i < 16)), address);
    await expectNothingBut([5, 6]);
  });

  test('can be listed and made current again, and a publication continues from there', async () => {
    const all = contentsOf(20);
    const local = [10, 12, 14].map((count) => write(edition(all, (i) => i < count)));
    for (const index of local) await publish(index, address);
    expect(await versionsOf(address)).toMatchObject([
      { generation: 3, current: true, passages: 14 },
      { generation: 2, current: false, passages: 12 },
      { generation: 1, current: false, passages: 10 },
    ]);
    expect(await rollBackTo(address, undefined)).toMatchObject({ live: 2, was: 3 });
    expect(await rollBackTo(address, 1)).toMatchObject({ live: 1, was: 2 });
    await expectIndex(local[0]!);
    await expect(rollBackTo(address, 7)).rejects.toThrow(/has no generation 7\. Generations: 3, 2, 1\./);
    await expect(rollBackTo(address, undefined)).rejects.toThrow(
      /has no generation before 1\. Generations: 3, 2, 1/,
    );
    minutesLater(2);
    expect(await publish(local[1]!, address)).toMatchObject({ generation: 4, uploaded: 2, kept: 10 });
    await expectIndex(local[1]!);
    await expectNothingBut([4, 1]);
  });

  test('are deleted by prune, which also finds vectors and objects that no journal knows', async () => {
    const all = contentsOf(20);
    for (const count of [10, 12, 14]) await publish(write(edition(all, (i) => i < count)), address);
    const service = new Service(address);
    const stray = {
      data: { float32: Array(DIMENSIONS).fill(1) },
      metadata: { segment: '0badc0de', fields: [], row: '' },
    };
    await service.putVectors(
      [
        { key: '0badc0de/0', ...stray },
        { key: '0badc0de/7', ...stray },
      ],
      0,
    );
    await service.objects.put('segments/0badc0de/lookup.bin', new Uint8Array(8));
    await service.objects.put('generations/9/overview.json', new Uint8Array(8));
    service.close();
    minutesLater(2);
    aws.calls.length = 0;
    const planned = await pruneIndex(address, 1, true);
    expect(writes()).toEqual([]);
    expect(planned).toMatchObject({ deleted: [2, 1], kept: [3], vectors: 2 });
    expect(await pruneIndex(address, 1)).toEqual(planned);
    await expectNothingBut([3]);
    expect(await pruneIndex(address, 1)).toMatchObject({ deleted: [], vectors: 0, objects: 0 });
  });

  test('that are damaged are named, and replaced with rewrite', async () => {
    const all = contentsOf(20);
    await publish(write(edition(all, (i) => i < 10)), address);
    const service = new Service(address);
    await service.objects.put('generations/1/manifest.json', Buffer.from('{"format":1'));
    service.close();
    const index = write(all);
    await expect(publish(index, address)).rejects.toThrow(
      /generations\/1\/manifest\.json is damaged.*--rewrite/,
    );
    minutesLater(2);
    expect(await publish(index, address, { rewrite: true })).toMatchObject({ generation: 2, uploaded: 20 });
    await expectIndex(index);
    await expectNothingBut([2]);
  });
});

describe('restoreIndex', () => {
  test('writes the same files as those that were published, but for the rounding of vectors', async () => {
    const all = contentsOf(300);
    const random = randomNumbers(1);
    const local = write({
      ...edition(all, (i) => i % 7 > 0),
      duplicates: [
        [1, 2],
        [5, 9, 11],
      ],
    });
    await publish(write(all), address);
    await publish(local, address);
    const target = join(folder, 'back');
    const manifest = await restoreIndex(address, target);
    expect(exactFiles(target)).toEqual(exactFiles(local));
    const { files: _, version: __, ...rest } = JSON.parse(readFileSync(join(local, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject(rest);
    // Publishing it again uploads nothing.
    expect(await publish(target, address)).toMatchObject({ uploaded: 0, kept: 257 });

    const { openGraph } = await import('../../../../../index/format/graph-file.ts');
    const graphs = [local, target].map((index) => openGraph(join(index, 'graph.bin'), DIMENSIONS));
    const query = normalized(gaussian(DIMENSIONS, random));
    const [before, after] = graphs.map((graph) => graph.similarities(query)) as [
      (n: number) => number,
      (n: number) => number,
    ];
    for (let ordinal = 0; ordinal < 257; ordinal++)
      expect(Math.abs(after(ordinal) - before(ordinal))).toBeLessThan(0.01);
  });

  test('says so if there is no index yet, or a row is missing', async () => {
    const target = join(folder, 'none');
    await expect(restoreIndex(address, target)).rejects.toThrow(
      /has no index yet\. Publish one with npx polyseek index/,
    );
    await publish(write(contentsOf(5)), address);
    const service = new Service(address);
    const [key] = (await service.vectorKeys().next()).value as [string];
    await service.deleteVectors([key]);
    service.close();
    await expect(restoreIndex(address, target)).rejects.toThrow(`row ${key} is damaged: it is missing.`);
  });
});
