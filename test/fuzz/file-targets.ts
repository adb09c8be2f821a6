import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ENCODER, PackedEncoder } from '../../index/embedding/encoder.ts';
import { Tokenizer } from '../../index/embedding/tokenizer.ts';
import { loadLibrary } from '../../index/engine/load-native.ts';
import { readSet } from '../../index/evaluate/set.ts';
import { BLOCK, CHECKS, compareBlocks, openChecks } from '../../index/format/checks.ts';
import { readCompiledModel } from '../../index/format/compiled-model.ts';
import { type Format, readSections } from '../../index/format/container.ts';
import { crc32c } from '../../index/format/crc32c.ts';
import { GRAPH, openGraph } from '../../index/format/graph-file.ts';
import { digestOf } from '../../index/format/json-file.ts';
import { LANGUAGES, Languages } from '../../index/format/languages-file.ts';
import { KEYS, LOOKUP, Lookup } from '../../index/format/lookup-file.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { parseOverview } from '../../index/format/overview.ts';
import { PASSAGES, Passages } from '../../index/format/passages-file.ts';
import { ROWS, RowFile } from '../../index/format/rows-file.ts';
import { SENTENCES, SentenceVectors } from '../../index/format/sentences-file.ts';
import { TOKENIZER } from '../../index/format/tokenizer-file.ts';
import { readTokenCodebook, TOKEN_CODES, TOKENS, Tokens } from '../../index/format/tokens-file.ts';
import { readHnswlibFile } from '../../index/graph/hnswlib-file.ts';
import { Cache } from '../../index/ingest/cache/cache.ts';
import { readConfig } from '../../index/ingest/sources/config.ts';
import { parseSitemap } from '../../index/ingest/sources/sitemap.ts';
import { expectClear, expectNoRaw, jsonObject, sectionFile, type Target, temporaryFile } from './target.ts';

/** The size of every fuzzed index: small, so that the seeds are small. */
export const SIZES = { dimensions: 8, passages: 6, parts: 4 };

/** The file that every seed of `checks.bin` lists. */
export const CHECKED = 'a.bin';

/** What the manifest of an index with the seeds' overview says. */
const CONTENTS = { counts: { documents: 1, passages: 1, sentences: 1, terms: 1 }, languages: { en: 1 } };

/** The key that every seed of `lookup.bin` contains, beside those of the format. */
export const WORD = 'word';

const query = Float32Array.from({ length: SIZES.dimensions }, (_, i) => Math.sin(i + 1) / 2);
const ordinals = Array.from({ length: SIZES.passages + 1 }, (_, i) => i);

/** A target that writes the input to a file of sections, opens it, and uses all of it. */
function file(name: string, format: Format, use: (path: string) => unknown): Target {
  return (input) => {
    const path = temporaryFile(name, sectionFile(format, input));
    return expectClear(path, () => use(path));
  };
}

/** A `checks.bin` with the right checksums of its own, if its sections have a place for them. */
function withOwnChecksums(file: Uint8Array): Uint8Array {
  try {
    const own = readSections(file, CHECKS, 'checks.bin')[2]!;
    const before = file.subarray(0, own.byteOffset - file.byteOffset);
    for (let i = 0; 4 * i + 4 <= own.length; i++)
      Buffer.from(own.buffer, own.byteOffset, own.length).writeUInt32LE(
        crc32c(before.subarray(i * BLOCK, (i + 1) * BLOCK)),
        4 * i,
      );
  } catch {
    // Damaged, as most inputs are.
  }
  return file;
}

/** Uses an opened file for each ordinal, and closes it. Each may fail on its own. */
async function each(path: string, close: () => void, uses: (() => unknown)[]): Promise<void> {
  try {
    for (const use of uses) await expectClear(path, use);
  } finally {
    close();
  }
}

/** A target for a JSON file with a digest over its keys: the right one, unless the input is no object. */
function digested(name: string, key: string, read: (folder: string) => unknown): Target {
  return (input) => {
    const { [key]: _, ...contents } = jsonObject(input) ?? {};
    const isObject = Object.keys(contents).length > 0;
    const bytes = isObject ? Buffer.from(JSON.stringify({ ...contents, [key]: digestOf(contents) })) : input;
    const path = temporaryFile(name, bytes);
    return expectClear(dirname(path), () => read(dirname(path)));
  };
}

/** Every file of an index and of a compiled model, and what else a command reads. */
export const fileTargets: Record<string, Target> = {
  graph: file('graph.bin', GRAPH, (path) => {
    const graph = openGraph(path, SIZES.dimensions);
    const similarity = graph.similarities(query);
    const nodes = Array.from({ length: Math.min(graph.nodes, 20) + 1 }, (_, node) => node);
    return each(path, () => {}, [
      () => graph.search(query, 3, 5),
      ...nodes.map((node) => () => similarity(node)),
      ...nodes.flatMap((node) =>
        [0, 1, 2].map((level) => () => graph.neighbors(node, Math.min(level, graph.top))),
      ),
    ]);
  }),
  sentences: file('sentences.bin', SENTENCES, (path) => {
    const sentences = new SentenceVectors(path, SIZES.dimensions);
    const best = sentences.best(query);
    return each(
      path,
      () => sentences.close(),
      ordinals.map((passage) => () => best(passage)),
    );
  }),
  languages: file('languages.bin', LANGUAGES, (path) => {
    const languages = new Languages(path, SIZES.dimensions, SIZES.passages);
    const { ofLanguage } = languages.typicality(query);
    const uses = ordinals.slice(1).map((passage) => () => ofLanguage(languages.languageOf(passage - 1)));
    return each(path, () => {}, uses);
  }),
  passages: file('passages.bin', PASSAGES, (path) => {
    const passages = new Passages(path);
    const all = Array.from(
      { length: Math.min(passages.count, 20) },
      (_, passage) => () => passages.get(passage),
    );
    return each(path, () => passages.close(), all);
  }),
  lookup: file('lookup.bin', LOOKUP, (path) => {
    const lookup = new Lookup(path, SIZES.passages);
    return each(path, () => lookup.close(), [
      () => lookup.list(KEYS.term + WORD),
      () => lookup.list(`${KEYS.field}lang\0en`),
      () => lookup.list(KEYS.duplicates + 0),
      () => lookup.ordinal(`${KEYS.id}p1`),
      () => lookup.ordinal('p1'),
      () => parseOverview(lookup.get(KEYS.overview), CONTENTS),
      () => lookup.get('missing'),
    ]);
  }),
  tokens: file('tokens.bin', TOKENS, (path) => {
    const tokens = new Tokens(path, SIZES.parts, SIZES.passages);
    const uses = [
      () => tokens.read(ordinals.slice(1)),
      ...ordinals.map((passage) => () => tokens.read([passage])),
    ];
    return each(path, () => tokens.close(), uses);
  }),
  rows: file('rows.bin', ROWS, (path) => {
    const rows = new RowFile(path);
    return each(path, () => rows.close(), [
      () => rows.sum([0, 1, 2]),
      () => rows.sum([5]),
      () => rows.sum([]),
    ]);
  }),
  encoder: file('encoder.bin', ENCODER, async (path) => {
    const library = await loadLibrary();
    const encoder = new PackedEncoder(path, readFileSync(path), library, { layer: 1 });
    // Few numbers: the fuzzing of the native engine runs larger ones.
    if (encoder.columns > 256) return;
    const rows = Float32Array.from({ length: encoder.columns }, (_, i) => Math.sin(i));
    await expectClear('', () => encoder.run(rows));
    await expectClear('', () => encoder.runWithStates(rows));
  }),
  checks: (input) => {
    const path = temporaryFile('checks.bin', withOwnChecksums(sectionFile(CHECKS, Buffer.from(input))));
    return expectClear(dirname(path), () => {
      const checks = openChecks(dirname(path), compareBlocks)!.of(CHECKED);
      checks.checkAll(Buffer.alloc(checks.size % 2 ** 20));
    });
  },
  'token-codes': file('token-codes.bin', TOKEN_CODES, (path) => readTokenCodebook(path, SIZES.dimensions)),
  tokenizer: (input) =>
    expectClear('tokenizer.bin', () => {
      const bytes = sectionFile(TOKENIZER, input);
      // A file in memory starts at a multiple of 8.
      const tokenizer = new Tokenizer(Buffer.from(new Uint8Array(bytes).buffer));
      return each('tokenizer.bin', () => {}, [
        () => tokenizer.encode('How are words cut? <mask> Größe 東京 🙂'),
        () => tokenizer.places('How are ﬁles\u0301 </s> 東京'),
        () => tokenizer.information(tokenizer.begin),
      ]);
    }),
  manifest: digested('manifest.json', 'version', (folder) => readManifest(folder, undefined, false)),
  model: digested('model.json', 'checksum', (folder) => readCompiledModel(folder, false)),
  overview: (input) => void parseOverview(input, CONTENTS),
  hnswlib: (input) =>
    expectClear('hnswlib', () => {
      const read = (start: number, length: number) => new Uint8Array(input.subarray(start, start + length));
      readHnswlibFile({ length: input.length, read }, SIZES.dimensions);
    }),
  cache: (input) => {
    const folder = join(dirname(temporaryFile('empty', new Uint8Array())), 'cache');
    mkdirSync(folder, { recursive: true });
    temporaryFile('cache/seed.cache', input);
    const cache = new Cache(folder);
    for (const key of ['a', 'b', 'c']) {
      cache.get('kind', key);
      cache.put('kind', key, input.subarray(0, 9));
      if (!cache.get('kind', key)?.equals(input.subarray(0, 9)))
        throw new Error(`The value of ${key} is lost.`);
    }
    cache.tidy();
    cache.close();
    rmSync(folder, { recursive: true });
  },
  config: (input) => {
    const path = temporaryFile('polyseek.config.json', input);
    return expectClear(path, () => readConfig(path));
  },
  // The source adds the address, and the full stop.
  sitemap: (input) => expectNoRaw(() => parseSitemap(input)),
  set: (input) => {
    const [passages, ...rest] = input.toString('latin1').split('\n\n');
    const path = temporaryFile('passages.jsonl', Buffer.from(passages!, 'latin1'));
    temporaryFile('queries.jsonl', Buffer.from(rest.join('\n'), 'latin1'));
    return expectClear(dirname(path), () => readSet(dirname(path)));
  },
};
