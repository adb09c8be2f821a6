import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { normalized } from '../../../index/embedding/embedder.ts';
import { KEYS } from '../../../index/format/lookup-file.ts';
import type { Filter, Passage } from '../../../index/format/passage.ts';
import { matching } from '../../../index/search/candidates.ts';
import { BundleStore } from '../../../index/store/bundle-store.ts';
import { type Address, parseAddress } from '../../../index/store/s3vectors/address.ts';
import { Generations } from '../../../index/store/s3vectors/generations.ts';
import { publish } from '../../../index/store/s3vectors/publish/publish.ts';
import type { S3VectorsStore } from '../../../index/store/s3vectors/s3-vectors-store.ts';
import { InvalidRequest, type Store } from '../../../index/store/store.ts';
import { writeEditions } from '../../fixtures/editions.ts';
import { gaussian, randomNumbers, smallModel, temporaryFolder } from '../../fixtures/index.ts';
import { type S3Vectors, startS3Vectors } from '../../fixtures/s3-vectors.ts';
import type { FaultKind } from '../../fixtures/service-faults.ts';
import { storeContract } from './contract.ts';

const TIMEOUT = 29;
const folder = temporaryFolder();
const { model } = smallModel();

describe('A store of S3 Vectors', () => {
  let aws: S3Vectors;
  const editions = writeEditions(folder);
  let made = 0;

  beforeAll(async () => {
    aws = await startS3Vectors();
    for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await aws?.stop();
  });

  /** Publishes indexes to a new address, one after the other. */
  async function published(...folders: string[]): Promise<Address> {
    const address = parseAddress(`s3vectors://store-test-${made++}`);
    await aws.createIndex(address.bucket, address.name, model.dimensions);
    for (const one of folders) await publish(one, address);
    return address;
  }

  async function open(address: Address): Promise<{ store: S3VectorsStore; close: () => void }> {
    const generations = new Generations(address, TIMEOUT);
    const store = await generations.open((await generations.current())!);
    return { store, close: () => generations.close() };
  }

  storeContract('of one segment', async (index) => open(await published(index)));

  describe.each([
    ['one segment', (): string[] => [editions.second]],
    ['two segments, with rows that are gone', (): string[] => [editions.first, editions.second]],
  ])('with %s', (_, folders) => {
    let address: Address;
    let store: S3VectorsStore;
    let bundle: BundleStore;
    let close: () => void;
    const random = randomNumbers(3);
    const vectors = Array.from({ length: 5 }, () => normalized(gaussian(model.dimensions, random)));

    beforeAll(async () => {
      address = await published(...folders());
      ({ store, close } = await open(address));
      bundle = BundleStore.open(editions.second, model, true);
    });
    afterAll(() => {
      close();
      bundle.close();
    });

    /** The id of each ordinal. */
    async function ids(of: Store, ordinals: Iterable<number>): Promise<string[]> {
      return (await of.rows([...ordinals])).map((row) => row.passage().id);
    }

    /** The ordinals of the same passages in the other store. */
    async function inBundle(ordinals: Iterable<number>): Promise<number[]> {
      const found = await ids(store, ordinals);
      return Promise.all(found.map(async (id) => (await bundle.lists.ordinal(id))!));
    }

    const all = async () => (await store.lists.list(`${KEYS.term}number`))!.ordinals;

    test('has the passages of the index that was published last', async () => {
      const passages: Passage[] = [];
      for await (const passage of store.passages()) passages.push(passage);
      const withoutGroups = ({ group: _, ...passage }: Passage) => passage;
      const wanted = (await bundle.rows(Array.from({ length: bundle.size }, (_, i) => i))).map((row) =>
        withoutGroups(row.passage()),
      );
      const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
      expect(passages.map(withoutGroups).sort(byId)).toEqual(wanted.sort(byId));
      expect(store.manifest).toMatchObject({
        version: bundle.manifest.version,
        counts: bundle.manifest.counts,
        languages: bundle.manifest.languages,
      });
      expect(await store.overview()).toEqual(await bundle.overview());
    });

    test('finds the nearest passages with their cosines', async () => {
      for (const vector of vectors) {
        // The mean of two vectors is shorter than 1.
        for (const query of [vector, vector.map((value) => value * 0.7)]) {
          const wanted = await bundle.nearest(query, 10);
          const found = await store.nearest(query, 10);
          expect(found).toHaveLength(10);
          const exact = await bundle.rows(await inBundle(found.map(({ ordinal }) => ordinal)), query);
          for (const [i, row] of exact.entries())
            expect(found[i]!.similarity).toBeCloseTo(row.similarity(), 2);
          const lowest = Math.min(...wanted.map(({ similarity }) => similarity));
          for (const { similarity } of found) expect(similarity).toBeGreaterThan(lowest - 0.01);
        }
      }
    });

    test.each<Filter>([
      { lang: 'de' },
      { lang: ['DE', 'zh'], even: true },
      { source: 'folder1/', number: [1, 3] },
      { tags: 'a1', name: ['n1', 'n4', 'n7'] },
    ])('finds only passages that match the filter %j', async (filter) => {
      const [own, other] = await Promise.all(
        [store, bundle].map((one) => matching(one.lists, filter, one.manifest.fields, one.size)),
      );
      expect((await ids(store, own!.ordinals)).sort()).toEqual((await ids(bundle, other!.ordinals)).sort());
      expect(own!.ordinals.length).toBeGreaterThan(0);
      const found = await store.nearest(vectors[0]!, 100, own);
      expect(found.map(({ ordinal }) => ordinal).sort((a, b) => a - b)).toEqual(own!.ordinals);
    });

    test('refuses a filter with more values than S3 Vectors accepts', async () => {
      const select = (values: number) => {
        const filter = { number: Array.from({ length: values }, (_, i) => i) };
        return matching(store.lists, filter, store.manifest.fields, store.size);
      };
      expect((await store.nearest(vectors[0]!, 10, await select(90))).length).toBeGreaterThan(0);
      const refused = store.nearest(vectors[0]!, 10, await select(91));
      await expect(refused).rejects.toThrow('The filter has 91 values, but this index accepts 90 at most.');
      await expect(refused).rejects.toBeInstanceOf(InvalidRequest);
    });

    test('reads rows with what ranking needs', async () => {
      const vector = vectors[1]!;
      const ordinals = [...(await all())];
      // Some rows have the cosine that the query returned; the others are read with their vectors.
      await store.nearest(vector, 5);
      const rows = await store.rows(ordinals, vector);
      const wanted = await bundle.rows(await inBundle(ordinals), vector);
      const languages = Object.keys(bundle.manifest.languages);
      const typicality = store.typicality(vector);
      expect(typicality.index).toBeCloseTo(bundle.typicality(vector).index, 5);
      for (const [i, row] of rows.entries()) {
        const other = wanted[i]!;
        expect(row.ordinal).toBe(ordinals[i]);
        expect(row.similarity()).toBeCloseTo(other.similarity(), 2);
        expect(row.bestSentence()).toEqual(other.bestSentence());
        expect(languages).toContain(row.passage().lang);
        expect(typicality.ofLanguage(row.language)).toBeCloseTo(
          bundle.typicality(vector).ofLanguage(other.language),
          5,
        );
      }
    });

    test('reads token states in the order of the passages', async () => {
      const ordinals = [...(await all())].reverse();
      const other = await inBundle(ordinals);
      const [found, wanted] = [await store.tokenCodes(ordinals), await bundle.tokenCodes(other)];
      expect(found.counts).toEqual(wanted.counts);
      expect(Buffer.from(found.codes)).toEqual(Buffer.from(wanted.codes));
    });

    test.each<FaultKind>(['throttle', '500', 'cut', 'half-answer'])(
      'reads the same if every call fails once (%s)',
      async (kind) => {
        const read = async (of: S3VectorsStore) => {
          const nearest = await of.nearest(vectors[0]!, 10);
          const ordinals = nearest.map(({ ordinal }) => ordinal);
          const passages = (await of.rows(ordinals)).map((row) => row.passage());
          const { ordinals: listed } = (await of.lists.list(`${KEYS.term}number`))!;
          return { nearest, passages, listed, around: await of.around(ordinals, 1) };
        };
        const remove = aws.fault({ kind, bucket: address.bucket, firstAttempts: true });
        const other = await open(address);
        expect(await read(other.store)).toEqual(await read(store));
        expect(remove()).toBeGreaterThan(5);
        other.close();
      },
    );

    test('finds passages by words, ids and groups', async () => {
      for (const word of ['word1', 'word6', 'number', 'revised']) {
        const [own, other] = await Promise.all(
          [store, bundle].map((one) => one.lists.list(KEYS.term + word)),
        );
        expect((await ids(store, own!.ordinals)).sort()).toEqual((await ids(bundle, other!.ordinals)).sort());
        expect(own!.rest).toHaveLength(own!.ordinals.length);
      }
      expect(await store.lists.list(`${KEYS.term}nothing`)).toBeUndefined();
      expect(await store.lists.ordinal('p3')).toBeUndefined();
      const ordinal = (await store.lists.ordinal('p1'))!;
      const [row] = await store.rows([ordinal]);
      const { group } = row!.passage();
      const list = await store.lists.list(KEYS.duplicates + group);
      expect((await ids(store, list!.ordinals)).sort()).toEqual(['p1', 'p2']);
    });
  });
});
