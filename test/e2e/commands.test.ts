import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Embedder, type TextKind } from '../../index/embedding/embedder.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { openLocal } from '../../index/ingest/open-local.ts';
import type { Verdict } from '../../index/search/answer.ts';
import { tuned } from '../../index/search/confidence.ts';
import { setFolder, smallModel, temporaryFolder } from '../fixtures/index.ts';
import { SMALL_MODEL } from '../fixtures/prepared.ts';
import { command } from '../fixtures/processes.ts';

const folder = temporaryFolder();
const [documents, index] = [join(folder, 'documents'), join(folder, 'index')];
const QUESTION = 'How often does the Korvane lighthouse flash?';
const build = ['--model', SMALL_MODEL, '--cache', join(folder, 'cache')];

beforeAll(async () => {
  mkdirSync(join(documents, 'notes'), { recursive: true });
  cpSync(join(setFolder('en'), 'passages.jsonl'), join(documents, 'en.jsonl'));
  writeFileSync(join(documents, 'notes/picture.png'), '');
  expect(await command('index', [documents, '--index', index, ...build])).toMatchObject({ code: 0 });
});

describe('index', () => {
  test('prints a summary in plain lines', async () => {
    const { code, stdout, stderr } = await command('index', [documents, '--index', index, ...build]);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toEqual([
      'Skipped, unknown format .png: 1',
      `  ${join(documents, 'notes/picture.png')}`,
      '',
      expect.stringMatching(
        /^.*index: 1 file \(\d unchanged\), 30 documents, 30 passages \(\d+ unchanged\), \d+ sentences, \d+ terms$/,
      ),
      expect.stringMatching(/^\d+\.\d s, \d+\.\d passages\/s$/),
      expect.stringMatching(
        /^graph\.bin [\d.]+ KB, tokens\.bin [\d.]+ KB, passages\.bin [\d.]+ KB, sentences\.bin [\d.]+ KB, languages\.bin [\d.]+ KB, lookup\.bin [\d.]+ KB, manifest\.json [\d.]+ KB$/,
      ),
      expect.stringMatching(/^version [0-9a-f]{12}, model small, with token states$/),
      expect.stringMatching(
        /^The function takes \d+ of 262 MB \(\d+ %\)\. About [\d,]+ more passages fit\. Past that: store s3vectors\.$/,
      ),
    ]);
    const progress = stderr.trimEnd().split('\n');
    // Up to ten lines for each phase that takes a second.
    const phases =
      /^\d+ of \d+ (?:files read|documents cut into passages|passages embedded|passages written) in \d+:\d\d(?:, \d+:\d\d left)?$/;
    const read =
      /^Read 1 file \(1 unchanged\): 30 documents, 30 passages, \d+ sentences\. Embedding 0 passages \(30 unchanged\)\.$/;
    expect(progress.length).toBeLessThanOrEqual(41);
    expect(progress.filter((line) => read.test(line))).toHaveLength(1);
    for (const line of progress) if (!read.test(line)) expect(line).toMatch(phases);
  });

  test('prints a summary as JSON', async () => {
    const { code, stdout } = await command('index', [documents, '--index', index, '--json', ...build]);
    const { version, counts } = readManifest(index, undefined, true);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      index,
      version,
      model: 'small',
      tokens: true,
      counts,
      languages: { en: 30 },
      files: 1,
      unchangedFiles: expect.any(Number),
      embedded: expect.any(Number),
      unchanged: expect.any(Number),
      notices: [
        {
          kind: 'skipped',
          reason: 'unknown format .png',
          count: 1,
          places: [{ place: join(documents, 'notes/picture.png') }],
        },
      ],
      seconds: expect.any(Number),
      bytes: Object.fromEntries(readdirSync(index).map((name) => [name, statSync(join(index, name)).size])),
      space: {
        bytes: expect.any(Number),
        limit: 262_144_000,
        passages: 30,
        passagesLeft: expect.any(Number),
      },
    });
  });

  test('stores no token states with --tokens off', async () => {
    const out = join(folder, 'without');
    const args = [documents, '--index', out, '--tokens', 'off', '--json', ...build];
    const { code, stdout } = await command('index', args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ tokens: false });
    expect(readdirSync(out)).not.toContain('tokens.bin');
  });
});

describe('index with a bad file', () => {
  const mixed = join(folder, 'mixed');
  const out = join(folder, 'mixed-index');
  const cache = ['--cache', join(folder, 'mixed-cache'), '--model', SMALL_MODEL];
  beforeAll(() => {
    mkdirSync(join(mixed, 'drafts'), { recursive: true });
    writeFileSync(join(mixed, 'good.md'), '# Lighthouse\n\nThe lighthouse flashes twice a minute.\n');
    writeFileSync(join(mixed, 'bad.json'), '{"open":');
    writeFileSync(join(mixed, 'drafts/a.md'), 'A draft.');
  });

  test('says what it would do, and writes nothing', async () => {
    const dry = await command('index', [mixed, '--index', out, '--dry-run', ...cache]);
    expect(dry.code).toBe(4);
    expect(dry.stdout).toMatch(/^Failed, .*\n {2}\S+bad\.json/);
    expect(dry.stdout).toContain(
      'A build would read 2 files (0 unchanged): 2 documents, 2 passages, 2 sentences.',
    );
    expect(dry.stdout).toContain('It would embed 2 passages (0 unchanged), with token states.');
    expect(existsSync(out)).toBe(false);
    expect(existsSync(join(folder, 'mixed-cache'))).toBe(false);
  });

  test('stops there with --strict, and leaves no index', async () => {
    const strict = await command('index', [mixed, '--index', out, '--strict', ...cache]);
    expect(strict.code).toBe(1);
    expect(strict.stderr).toMatch(/bad\.json: .*JSON/);
    expect(existsSync(out)).toBe(false);
  });

  test('indexes the rest, gives links, and exits with code 4', async () => {
    const args = [
      mixed,
      '--index',
      out,
      '--exclude',
      'drafts/',
      '--base-url',
      'https://docs.example/',
      ...cache,
    ];
    expect(await command('index', args)).toMatchObject({ code: 4 });
    const found = await command('search', ['How often does the lighthouse flash?', '--index', out, '--json']);
    expect(JSON.parse(found.stdout).results).toMatchObject([
      { source: 'good.md', anchor: 'lighthouse', url: 'https://docs.example/good.md#lighthouse' },
    ]);
    const again = await command('index', [...args, '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({
      files: 1,
      unchangedFiles: 1,
      embedded: 0,
      unchanged: 1,
    });
  });

  test('reads the settings of a config file', async () => {
    const config = join(folder, 'config.json');
    writeFileSync(config, JSON.stringify({ sources: [{ path: mixed, include: ['good.*'] }], index: out }));
    const built = await command('index', ['--config', config, '--json', ...cache]);
    expect(built.code).toBe(0);
    expect(JSON.parse(built.stdout)).toMatchObject({ index: out, files: 1 });
  });

  test('is inspected', async () => {
    const overview = await command('inspect', ['--index', out, '--json']);
    expect(JSON.parse(overview.stdout)).toMatchObject({
      counts: { documents: 1, passages: 1 },
      duplicates: 0,
      sources: [{ source: 'good.md', passages: 1, languages: ['en'] }],
      longest: [{ source: 'good.md', title: 'Lighthouse' }],
    });
    const passages = await command('inspect', ['good.md', '--index', out]);
    expect(passages.stdout).toMatch(
      /^Lighthouse\n[0-9a-f]{12} {2}good\.md#lighthouse {2}en\nLighthouse\nThe lighthouse/,
    );
    const missing = await command('inspect', ['none.md', '--index', out]);
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no document or passage is named "none.md"'),
    });
  });
});

describe('search', () => {
  test('prints results in plain text', async () => {
    const flags = ['--lang', 'en', '--context', '1', '--explain', '--index', index];
    const found = await command('search', [QUESTION, ...flags]);
    expect(found).toMatchObject({ code: 0, stderr: '' });
    expect(found.stdout).toMatch(
      /^1\. Korvane lighthouse {2}en\.jsonl \[en\] {2}Best match\n.*»The Korvane lighthouse was [^»]+\.« Its white.*\nConfidence 0\.\d\d: passageMargin .*\nScore \d\.\d{3} = passage .*\nID en-lighthouse-1\n/m,
    );
    expect(found.stdout).not.toMatch(/[^\P{Cc}\n]/u);
  });

  test('asks the default model, across languages', async () => {
    const [texts, out] = [join(folder, 'texts'), join(folder, 'default-index')];
    mkdirSync(texts);
    writeFileSync(join(texts, 'light.md'), 'The lighthouse of Korvane flashes twice a minute.');
    writeFileSync(join(texts, 'bread.md'), 'The baker bakes bread before the sun rises.');
    const cache = ['--cache', join(folder, 'default-cache')];
    const built = await command('index', [texts, '--index', out, '--json', ...cache]);
    expect(JSON.parse(built.stdout)).toMatchObject({ model: 'multilingual-e5-small', embedded: 2 });
    const found = await command('search', ['Wann wird Brot gebacken?', '--index', out, '--json']);
    expect(JSON.parse(found.stdout).results[0]).toMatchObject({ source: 'bread.md' });
  });

  test('reports empty results, and exits with code 3', async () => {
    const query = 'Who won the football world cup in 1974?';
    const uncertain = await command('search', [query, '--index', index, '-k', '1']);
    expect(uncertain).toMatchObject({ code: 3, stderr: '' });
    expect(uncertain.stdout).toMatch(/^Nothing here matches your question\. The closest passages:\n\n1\. /);
    const none = await command('search', [query, '--index', index, '--min-confidence', '1']);
    expect(none).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/^Nothing here matches your question\.\n\n/),
    });
    const json = await command('search', [query, '--index', index, '--json']);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({ verdict: 'none', answered: false });
  });

  test('exits with a code for each verdict', async () => {
    const search = await openLocal(index);
    const lines = readFileSync(join(setFolder('en'), 'queries.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const asked = new Map<Verdict, string>();
    for (const line of lines) {
      const q: string = JSON.parse(line).text;
      asked.set((await search.search({ q, k: 3, mode: 'hybrid' })).verdict, q);
    }
    const codes = { answered: 0, possible: 4, none: 3 };
    expect([...asked.keys()].sort()).toEqual(Object.keys(codes).sort());
    for (const [verdict, q] of asked) {
      const { code, stdout } = await command('search', [q, '--index', index, '--json', '--matches']);
      expect([code, JSON.parse(stdout).verdict]).toEqual([codes[verdict], verdict]);
    }
  });

  test('has the filters of the HTTP API', async () => {
    const search = await openLocal(index);
    const { took: _, ...expected } = await search.search({
      q: QUESTION,
      k: 30,
      mode: 'lexical',
      minConfidence: 0.01,
      filter: { lang: ['en', 'de'], source: ['en.jsonl', 'none/'] },
    });
    const flags = ['-k', '30', '--mode', 'lexical', '--min-confidence', '0.01'];
    const fields = [
      '--lang',
      'en',
      '--filter',
      'lang=de',
      '--source',
      'en.jsonl',
      '--filter',
      'source=none/',
    ];
    // Reads the question from standard input.
    const args = ['-', ...flags, ...fields, '--index', index, '--json'];
    const { stdout } = await command('search', args, `${QUESTION}\n`);
    const { took: __, ...answer } = JSON.parse(stdout);
    expect(answer).toEqual(expected);
    expect(expected.results.length).toBeGreaterThan(0);
    const other = ['--lang', 'de', '--index', index, '--json'];
    expect(JSON.parse((await command('search', [QUESTION, ...other])).stdout).results).toEqual([]);
  });
});

/** What evaluation prints does not depend on the model. Only on a slow machine, it shows progress on stderr. */
const LEXICAL = ['--mode', 'lexical', '--model', SMALL_MODEL];

test('eval scores sets, as a table and as JSON', async () => {
  const table = await command('eval', [setFolder('en'), ...LEXICAL]);
  expect(table.code).toBe(0);
  expect(table.stdout).toMatch(
    /^ +R@1 +R@5 +R@10 +MRR@10 +nDCG@10 +AUROC\nen( +\d\.\d{3}){6}\nmean( +\d\.\d{3}){6}\n$/,
  );
  const json = await command('eval', [setFolder('en'), ...LEXICAL, '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({ sets: { en: { questions: 60 } }, mean: { questions: 60 } });
});

test('eval asks follow-ups with and without their history', async () => {
  const conversed = join(folder, 'conversations');
  mkdirSync(conversed);
  const history = [{ role: 'user', content: 'Tell me about the Korvane lighthouse.' }];
  const asked = { lang: 'en', split: 'test', kind: 'pronoun', history, relevant: ['en-lighthouse-1'] };
  const lines = [
    {
      ...asked,
      id: 'a',
      q: 'Was it built of granite?',
      rewritten: 'Was the Korvane lighthouse built of granite?',
    },
    { ...asked, id: 'b', split: 'dev', q: 'x' },
  ];
  writeFileSync(join(conversed, 'conversations.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
  const args = [...LEXICAL, '--conversations', conversed];
  const table = await command('eval', [setFolder('en'), ...args]);
  expect(table.code).toBe(0);
  expect(table.stdout).toMatch(/^follow-ups +1( +\d\.\d{3}){12}$/m);
  const { conversations } = JSON.parse((await command('eval', [setFolder('en'), ...args, '--json'])).stdout);
  expect(conversations.rows['follow-ups']).toMatchObject({ questions: 1, rewritten: { r1: 1 } });
  expect(conversations.rows.unanswerable.questions).toBe(15);
  expect(await command('eval', [setFolder('de'), ...args])).toMatchObject({
    code: 1,
    stderr: 'Conversation a needs the set en. Name its folder too.\n',
  });
});

test('eval scores confidence on a half of the articles, and draws it', async () => {
  const svg = join(folder, 'reliability.svg');
  const flags = [...LEXICAL, '--confidence', '--articles', 'test'];
  const sets = ['en', 'de'].map(setFolder);
  const table = await command('eval', [...sets, ...flags, '--cross', '--svg', svg]);
  expect(table.code).toBe(0);
  expect(table.stdout).toMatch(/^ +within +across +within +across\n( +articles out){2}( +near topic){2}$/m);
  expect(table.stdout).toMatch(/^ECE( +0\.\d{3}){4}$/m);
  expect(readFileSync(svg, 'utf8')).toMatch(/^<svg .*across, near topic.*<\/svg>\n$/s);
  const { confidence } = JSON.parse((await command('eval', [sets[0]!, ...flags, '--json'])).stdout);
  // Of 30 passages, 15 are in this half. Each has two questions, and 7 of the other 15 questions are in this half.
  expect(confidence.nearTopic.within.answerable.questions).toBe(30);
  expect(confidence.nearTopic.within.unanswerable.questions).toBe(37);
});

test('eval asks phrases that ask nothing', async () => {
  const phrases = join(folder, 'small-talk');
  mkdirSync(phrases);
  const greeting = { id: 'en-1', lang: 'en', text: 'hello', kind: 'greeting' };
  writeFileSync(join(phrases, 'phrases.jsonl'), JSON.stringify(greeting));
  const { stdout } = await command('eval', [setFolder('en'), ...LEXICAL, '--small-talk', phrases]);
  expect(stdout).toMatch(/\n\nsmall talk: .*\n.*\nall +1 +0\.000 .*\ngreeting +1 +0\.000 .*\n$/);
});

test('eval scores collections of documents, by default on the split dev', async () => {
  const collection = join(folder, 'collection');
  mkdirSync(join(collection, 'documents/en'), { recursive: true });
  writeFileSync(join(collection, 'documents/en/light.md'), 'The light flashes every twelve seconds.');
  const answers = [{ source: 'en/light.md', contains: 'twelve seconds' }];
  const asked = { lang: 'en', text: 'When does the light flash?', answers };
  const lines = ['dev', 'test', 'test'].map((split, i) => ({ ...asked, id: String(i), split }));
  writeFileSync(join(collection, 'questions.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
  const flags = [...LEXICAL, '--documents', collection];
  const table = await command('eval', flags);
  expect(table.code).toBe(0);
  expect(table.stdout).toMatch(/^documents, split dev\n +collection +all\nanswerable questions +1 +1\n/);
  const { documents, ...others } = JSON.parse(
    (await command('eval', [...flags, '--split', 'test', '--json'])).stdout,
  );
  expect(documents).toMatchObject({ split: 'test', all: { answerable: { questions: 2, right: 2 } } });
  expect(others).toEqual({});
});

describe('tune', () => {
  const questions = join(folder, 'questions.jsonl');
  const config = join(folder, 'tuned.config.json');
  const jsonLines = (path: string): Record<string, unknown>[] =>
    readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  /** The first sentence of each passage, by its id. */
  const sentences = new Map(
    jsonLines(join(setFolder('en'), 'passages.jsonl')).map(({ id, text }) => [
      id,
      String(text).split('.')[0]!,
    ]),
  );
  const asked = jsonLines(join(setFolder('en'), 'queries.jsonl')).map(({ text, relevant }) => ({
    text,
    answers: (relevant as string[]).map((id) => ({ source: 'en.jsonl', contains: sentences.get(id) })),
  }));
  const write = (some: readonly unknown[]) =>
    writeFileSync(questions, some.map((question) => JSON.stringify(question)).join('\n'));

  test('fits confidence to questions, and the next build uses it', async () => {
    write(asked);
    writeFileSync(config, JSON.stringify({ lang: 'en', tuning: { slope: 1, intercept: 0 } }));
    const { code, stdout } = await command('tune', [questions, '--index', index, '--config', config]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^75 questions +now +tuned\nright first, and answered +\d+ of (\d+) +\d+ of \1\n/);
    const { lang, tuning } = JSON.parse(readFileSync(config, 'utf8'));
    expect(lang).toBe('en');
    expect(tuning).toEqual({ slope: expect.any(Number), intercept: expect.any(Number) });

    const tunedIndex = join(folder, 'tuned');
    const flags = [documents, '--index', tunedIndex, '--config', config, ...build];
    expect(await command('index', flags)).toMatchObject({ code: 0 });
    expect(readManifest(tunedIndex, undefined, true).tuning).toEqual(tuning);
    const confidence = async (folder: string) => {
      const search = await openLocal(folder);
      try {
        return (await search.search({ q: QUESTION, k: 1, mode: 'hybrid' })).results[0]!.confidence;
      } finally {
        search.close();
      }
    };
    expect(await confidence(tunedIndex)).toBeCloseTo(tuned(await confidence(index), tuning), 2);
  });

  test.each([
    [
      [...asked, { text: 'x', answers: [{ source: 'no.md', contains: 'x' }] }],
      /:76: no document is named "no\.md"/,
    ],
    [
      [...asked, { text: 'x', answers: [{ source: 'en.jsonl', contains: 'never said' }] }],
      /:76: no passage of en\.jsonl contains "never said"/,
    ],
    [[{ answers: [] }], /:1: "text" must be a non-empty string/],
    [asked.slice(0, 4), /tuning needs at least 5/],
  ])('refuses questions that say nothing of the index, and writes no config: %#', async (some, message) => {
    write(some);
    const target = join(folder, 'none.config.json');
    const { code, stderr } = await command('tune', [questions, '--index', index, '--config', target]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(existsSync(target)).toBe(false);
  });
});

describe('chat', () => {
  const asked = 'How often does the Korvane lighthouse flash?\nWho won the football world cup in 1974?\n';

  test('asks an index without a server', async () => {
    const { code, stdout } = await command('chat', ['--index', index], asked);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Ask about the 30 passages of .*index, in.*\n> “[^”]+” \[1\]\n.*\n\[1\] [^\n]*en\.jsonl.*\n\n> Nothing here matches your question\.\n\n> $/s,
    );
  });

  test('prints a line of JSON for each question, and an index wins over the environment', async () => {
    const env = { POLYSEEK_URL: 'http://127.0.0.1:9' };
    const { code, stdout } = await command('chat', ['--index', index, '--json'], asked, env);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        q: asked.split('\n')[0],
        verdict: 'answered',
        passages: expect.arrayContaining([expect.objectContaining({ source: 'en.jsonl' })]),
      },
      { q: asked.split('\n')[1], verdict: 'none', text: 'Nothing here matches your question.' },
    ]);
    const found = await command('search', [asked.split('\n')[0]!, '--index', index, '--json'], '', env);
    expect(found.code).toBe(0);
  });
});

describe('embed', () => {
  const texts: [string, TextKind | undefined][] = [
    ['hello', 'query'],
    ['hello', 'passage'],
    ['hello', undefined],
    ['', 'query'],
    ['', undefined],
    ['\u2028 and \u2029', 'query'],
    ['\0', undefined],
    ['\ud83d', 'query'],
    ['\udc00 x \ud800', 'passage'],
    ['灯塔 ประภาคาร маяк', 'query'],
    ['tail', undefined],
  ];

  test('prints the embedder’s vectors of any texts with ids, in order', async () => {
    // JSON may contain line and paragraph separators raw or escaped. This test uses both.
    const lines = texts.flatMap(([text, kind]) => {
      const line = JSON.stringify({ text, kind });
      return [line, line.replace('\u2028', '\\u2028')];
    });
    const { code, stdout, stderr } = await command(
      'embed',
      ['--model', SMALL_MODEL],
      `${lines.join('\n')}\n\n`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const printed = stdout.trimEnd().split('\n');
    expect(printed).toHaveLength(lines.length);
    const embedder = await Embedder.open(smallModel().dir, { verify: false });
    for (const [i, [text, kind]] of texts.entries()) {
      const expected = {
        ids: embedder.ids(text, kind),
        vector: Array.from(await embedder.embed(text, kind)),
      };
      expect(JSON.parse(printed[2 * i]!)).toEqual(expected);
      expect(printed[2 * i + 1]).toBe(printed[2 * i]);
    }
  });

  test.each([
    [
      '{"text": "a"}\n{"text"',
      /^standard input:2: not valid JSON \(.*\)\. Write one JSON object a line\.\n$/,
    ],
    ['[]', /^standard input:1: \[\] is not a JSON object\. /],
    ['{"text": 5}', /^standard input:1: "text" must be a string but is 5\. Example: {"text": /],
    [
      '{"text": "a", "kind": "document"}',
      /^standard input:1: "kind" must be "query", "passage" or missing but is "document"\.\n$/,
    ],
  ])('refuses %j', async (input, message) => {
    expect(await command('embed', ['--model', SMALL_MODEL], input)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(message),
    });
  });

  test('prints nothing for empty input', async () => {
    expect(await command('embed', ['--model', SMALL_MODEL], '')).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});
