import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Block, Document } from '../../../../index/documents/document.ts';
import { readMarkdown } from '../../../../index/documents/markdown/markdown.ts';
import { readText } from '../../../../index/documents/plain/text.ts';
import {
  createCutter,
  createSplitter,
  type SplitOptions,
  toPassages,
} from '../../../../index/ingest/passages/split.ts';
import { runs } from '../../../fixtures/runs.ts';
import { shared } from '../../../fixtures/shared.ts';

const countTokens = (text: string) => Math.ceil(text.length / 4);
const options: SplitOptions = { countTokens, minTokens: 16, maxTokens: 64 };
/** Every section is a passage of its own. */
const separate = { ...options, minTokens: 3 };
const heading = (text: string, level = 2): Block => ({ kind: 'heading', level, text });
const paragraph = (text: string): Block => ({ kind: 'paragraph', text });
const document = (...blocks: Block[]): Document => ({ source: 'a/b.txt', blocks });
const INVISIBLE = /[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const solid = (text: string) => text.replace(INVISIBLE, '');
const words = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, '');
const texts = (from: Document, given = options) => toPassages(from, given).map((passage) => passage.text);
const titles = (from: Document) => toPassages(from, separate).map((passage) => passage.title);
const sentence = (n: number) => `This is sentence number ${n} of a paragraph about boats.`;
const prose = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => sentence(from + i)).join(' ');

describe('sections', () => {
  it('start at headings and include them, and are not mixed', () => {
    expect(
      texts(
        document(
          paragraph('Before.'),
          heading('A'),
          paragraph('One.'),
          paragraph('Two.'),
          heading('B'),
          paragraph('Three.'),
        ),
        separate,
      ),
    ).toEqual(['Before.', 'A\nOne.\n\nTwo.', 'B\nThree.']);
  });

  it('join a short text without a heading above them', () => {
    const cut = (...blocks: Block[]) =>
      toPassages(document(...blocks), { ...options, minTokens: 30, maxTokens: 100 }).map(
        ({ title, text, sentences }) => [title, text, sentences.map(([from, to]) => text.slice(from, to))],
      );
    expect(
      cut(paragraph('About boats.'), heading('A'), paragraph(prose(0, 2)), heading('B'), paragraph('One.')),
    ).toEqual([
      ['A', `About boats.\n\nA\n${prose(0, 2)}`, ['About boats.', sentence(0), sentence(1)]],
      ['B', 'B\nOne.', ['One.']],
    ]);
    expect(cut(paragraph(prose(0, 2)), heading('A'), paragraph('One.'))).toHaveLength(2);
    const end: Block = { ...paragraph('About boats.'), endsSection: true };
    expect(cut(end, heading('A'), paragraph('One.'))).toHaveLength(2);
  });

  const sentencesOf = (text: string) =>
    toPassages(document(paragraph(text)), options).flatMap((passage) =>
      passage.sentences.map(([start, end]) => passage.text.slice(start, end)),
    );

  it('have sentences that contain what they introduce', () => {
    expect(
      sentencesOf('To close a tab of the window:\n|\nPress the keys Ctrl+W.\nIt is gone at once.'),
    ).toEqual(['To close a tab of the window:\n|\nPress the keys Ctrl+W.', 'It is gone at once.']);
  });

  it('have no sentences in lines without a word, unless they have no other text', () => {
    expect(sentencesOf('let total = sum(prices);\n...\n}\nprint the total of all prices')).toEqual([
      'let total = sum(prices);',
      'print the total of all prices',
    ]);
    expect(sentencesOf('...')).toEqual(['...']);
  });

  it('have no sentences in their headings, unless they have no other text', () => {
    const [timetable, bare] = toPassages(
      document(heading('Ferry times', 2), paragraph('The ferry sails at noon.'), heading('Berths', 2)),
      { countTokens: (text) => text.length, minTokens: 1, maxTokens: 100 },
    );
    const cut = (passage: typeof timetable) =>
      passage?.sentences.map(([start, end]) => passage.text.slice(start, end));
    expect(timetable?.text).toBe('Ferry times\nThe ferry sails at noon.');
    expect(cut(timetable)).toEqual(['The ferry sails at noon.']);
    expect(cut(bare)).toEqual(['Berths']);
  });

  it('without a paragraph join the next section', () => {
    expect(texts(document(heading('A', 1), heading('B'), paragraph('One.'), heading('C')), separate)).toEqual(
      ['A\nB\nOne.', 'C'],
    );
  });

  it('have a title made of the document title and the headings above them', () => {
    const { blocks } = readMarkdown(
      '# Port\n\nA.\n\n## Boats\n\nB.\n\n#### Sails\n\nC.\n\n## Nets\n\nD.\n\n# Town\n\nE.',
      'a.md',
    );
    const paths = ['Port', 'Port › Boats', 'Port › Boats › Sails', 'Port › Nets', 'Town'];
    expect(titles({ source: 'a.md', title: 'Port', blocks })).toEqual(paths);
    expect(titles({ source: 'a.md', title: 'Guide', blocks })).toEqual(
      paths.map((path) => `Guide › ${path}`),
    );
    expect(titles({ source: 'a.md', blocks })).toEqual(paths);
    expect(titles({ ...document(heading('Boats'), paragraph('One.')), title: 'Boats' })).toEqual(['Boats']);
  });

  it('without a heading have the title of the document, or its file name', () => {
    expect(titles({ ...document(paragraph('One.')), title: 'Port' })).toEqual(['Port']);
    expect(titles(document(paragraph('One.')))).toEqual(['b.txt']);
  });

  it('after the end of an article do not use earlier headings', () => {
    const page = readText(
      'Harbour\n\nIt rained.\n\n■ Karl Weber\n\nA boat in the rain.\n\nFerry\n\nIt sails.',
      'page.txt',
    );
    const whole = { ...options, minTokens: 6 };
    expect(toPassages(page, whole).map(({ title, text }) => [title, text])).toEqual([
      ['Harbour', 'Harbour\nIt rained.\n\n■ Karl Weber'],
      ['page.txt', 'A boat in the rain.'],
      ['Ferry', 'Ferry\nIt sails.'],
    ]);
    expect(toPassages({ ...page, title: 'Page three' }, whole).map(({ title }) => title)).toEqual([
      'Page three › Harbour',
      'Page three',
      'Page three › Ferry',
    ]);
  });

  const seed = shared('seed/000_af465b139886446f.txt');
  it.skipIf(seed.missing)('of a newspaper page become passages of one article each', () => {
    const page = readText(readFileSync(seed.path, 'utf8'), 'page.txt');
    const headings = page.blocks.filter((block) => block.kind === 'heading').map((block) => block.text);
    const passages = toPassages(page, {
      countTokens: (text) => Math.ceil(text.length / 1.5),
      minTokens: 64,
      maxTokens: 400,
    });
    for (const { text, title } of passages) {
      const own = headings.filter((heading) => text.split('\n').includes(heading));
      expect(own.length).toBeLessThanOrEqual(1);
      for (const heading of own) expect(text.startsWith(`${heading}\n`)).toBe(true);
      expect(title).toBe(own[0] ?? title);
      expect(text).not.toMatch(/■记者[^\n]*\n/);
    }
    expect(passages.filter((passage) => passage.title === 'page.txt').map((passage) => passage.text)).toEqual(
      ['11月20日，衡阳西渡高新区湖南盛世威得科技有限公司，工人们正在加工制作手表。'],
    );
    expect(new Set(passages.map((passage) => passage.title))).toEqual(new Set([...headings, 'page.txt']));
    expect(new Set(passages.map((passage) => passage.lang))).toEqual(new Set(['zh']));
  });
});

describe('passages', () => {
  it('combine short paragraphs until they have enough text, and the last includes the rest', () => {
    const [a, b, c, d, e] = [0, 1, 2, 3, 4].map((n) => paragraph(sentence(n)));
    expect(texts(document(a!, b!, c!, d!, e!))).toEqual([
      `${sentence(0)}\n\n${sentence(1)}`,
      `${sentence(2)}\n\n${sentence(3)}\n\n${sentence(4)}`,
    ]);
  });

  it('contain one paragraph if it is long enough', () => {
    expect(texts(document(paragraph(prose(0, 3)), paragraph(prose(3, 6))))).toEqual([
      prose(0, 3),
      prose(3, 6),
    ]);
  });

  it('split a long paragraph at sentence ends into parts of similar size', () => {
    const parts = texts(document(heading('Boats'), paragraph(prose(0, 9))));
    expect(parts).toEqual([`Boats\n${prose(0, 3)}`, prose(3, 6), prose(6, 9)]);
  });

  it('split a group of paragraphs between paragraphs, if the parts are similar in size', () => {
    expect(
      texts(document(paragraph(sentence(0)), paragraph(prose(1, 5))), { ...options, minTokens: 32 }),
    ).toEqual([`${sentence(0)}\n\n${sentence(1)} ${sentence(2)}`, `${sentence(3)} ${sentence(4)}`]);
    expect(
      texts(document(paragraph(prose(0, 2)), paragraph(prose(2, 5))), { ...options, minTokens: 32 }),
    ).toEqual([prose(0, 2), prose(2, 5)]);
  });

  it('split a sentence that is too long after a clause, else between words, else between graphemes', () => {
    const clauses = Array.from(
      { length: 9 },
      (_, i) => `clause ${i} goes on and on${' for a while'.repeat(i % 4)}`,
    ).join(', ');
    const parts = texts(document(paragraph(clauses)));
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts.slice(0, -1)) expect(part).toMatch(/,$/);
    for (const part of texts(document(paragraph('semi-detached '.repeat(100))))) {
      expect(part).toMatch(/^semi-detached( semi-detached)*$/);
    }
    for (const grapheme of ['👨‍👩‍👧‍👦', 'e\u0301']) {
      const parts = texts(document(paragraph(`x${grapheme.repeat(300)}`)));
      expect(parts.length).toBeGreaterThan(2);
      for (const part of parts) expect(part.replaceAll(grapheme, '')).toMatch(/^x?$/);
    }
  });

  it('derive their ids from the id of their document', () => {
    const ids = (from: Document) => toPassages(from, separate).map((passage) => passage.id);
    expect(ids({ ...document(paragraph('One.')), id: 'r1' })).toEqual(['r1']);
    expect(
      ids({ ...document(heading('A'), paragraph('One.'), heading('B'), paragraph('Two.')), id: 'r1' }),
    ).toEqual(['r1#1', 'r1#2']);
  });

  it('derive their ids from source, text and occurrence if the document has no id', () => {
    const passages = toPassages(
      document(heading('A'), paragraph('One.'), heading('A'), paragraph('One.')),
      separate,
    );
    // sha256sum of 'a/b.txt\0A\nOne.\0' followed by 0 and by 1.
    expect(passages.map((passage) => passage.id)).toEqual(['22944a97f552', 'eabf13b20527']);
  });

  it('have the fields of their document, and a position in it', () => {
    const metadata = { year: 2018 };
    const from = {
      ...document(heading('A'), paragraph('One.'), heading('B'), paragraph('Two.')),
      url: 'https://example.org',
      metadata,
    };
    expect(
      toPassages(from, separate).map(({ source, url, metadata, position }) => ({
        source,
        url,
        metadata,
        position,
      })),
    ).toEqual([
      { source: 'a/b.txt', url: 'https://example.org', metadata, position: 0 },
      { source: 'a/b.txt', url: 'https://example.org', metadata, position: 1 },
    ]);
  });

  it('are not created without text', () => {
    expect(texts(document())).toEqual([]);
    expect(texts(document(heading(' '), paragraph('\n\t')))).toEqual([]);
  });

  it('require consistent limits', () => {
    expect(() => texts(document(), { ...options, minTokens: 65 })).toThrow(
      'minTokens is 65 and maxTokens 64: 1 <= minTokens <= maxTokens is required.',
    );
  });
});

describe('language', () => {
  const german = 'Die Stadt baut im kommenden Jahr eine neue Brücke über den Fluss.';
  const french = 'La ville construira un nouveau port au nord de l’ancien, dit le maire.';
  const langs = (from: Document) =>
    toPassages(from, { ...options, minTokens: 1 }).map((passage) => passage.lang);

  it('is detected per passage, and a short passage has the main language of its document', () => {
    const blocks = [paragraph(german), paragraph('42.'), paragraph(french), paragraph(german)];
    expect(langs(document(...blocks))).toEqual(['de', 'de', 'fr', 'de']);
  });

  it('is the language that the document declares', () => {
    expect(langs({ ...document(paragraph(german)), lang: 'gsw-CH' })).toEqual(['gsw-CH']);
    // An entity of DocBook that its tools would resolve.
    expect(langs({ ...document(paragraph(german)), lang: '&language;' })).toEqual(['de']);
  });

  it('is that of the text, if the declared one clearly is not', () => {
    const english = 'The council met on Monday, and voted at once about the new bridge over the river.';
    const book = document(...Array.from({ length: 4 }, () => paragraph(english)));
    expect(new Set(langs({ ...book, lang: 'da-DK' }))).toEqual(new Set(['en']));
    expect(new Set(langs({ ...book, lang: 'en-GB' }))).toEqual(new Set(['en-GB']));
    expect(new Set(langs({ ...book, lang: 'gsw' }))).toEqual(new Set(['gsw']));
  });

  it('of a short row is that of the rows before it', () => {
    const row = (text: string) => ({ ...document(paragraph(text)), id: text });
    const split = createSplitter(createCutter({ ...options, minTokens: 1 }));
    const rows = [german, 'Red Ottawa Lisbon Total', 'Где находится гавань города'].map(row);
    expect(rows.flatMap((each) => split(each)).map(({ lang }) => lang)).toEqual(['de', 'de', 'ru']);
  });

  it('is und if it cannot be detected', () => {
    expect(langs(document(paragraph('1 + 1 = 2')))).toEqual(['und']);
  });
});

describe('any document', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc
      .array(
        fc.constantFrom(
          'the boat ',
          'Dr. ',
          '港口',
          '。',
          ', ',
          '. ',
          '\n',
          'e\u0301',
          '👨‍👩‍👧‍👦',
          'x'.repeat(30),
          '\ud83d',
          '\0',
        ),
      )
      .map((parts) => parts.join('')),
  );
  const blocks = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('heading' as const), level: fc.integer({ min: 1, max: 6 }), text }),
      fc.record({ kind: fc.constant('paragraph' as const), text }),
      fc.record({ kind: fc.constant('paragraph' as const), text, endsSection: fc.constant(true as const) }),
    ),
    { maxLength: 12 },
  );
  // None of these counts is additive. The last counts more for a text than for its parts.
  const counters = [
    (text: string) => [...text].length,
    (text: string) => Math.ceil(text.length / 3),
    (text: string) => (text.match(/\p{L}+|\S/gu) ?? []).length,
    (text: string) => (text.length < 3 ? 1 : Math.ceil(text.length ** 1.1)),
  ];

  it('keeps every visible character, once and in order, in passages and sentences within the limit', () => {
    fc.assert(
      fc.property(
        blocks,
        fc.constantFrom(...counters),
        fc.integer({ min: 2, max: 40 }),
        fc.nat(),
        (blocks, countTokens, maxTokens, n) => {
          const passages = toPassages(document(...blocks), {
            countTokens,
            maxTokens,
            minTokens: 1 + (n % maxTokens),
          });
          const all = passages.map((passage) => passage.text).join('');
          expect(solid(all)).toBe(solid(blocks.map((block) => block.text).join('')));
          expect(new Set(passages.map((passage) => passage.id)).size).toBe(passages.length);
          passages.forEach((passage, i) => {
            expect(passage.position).toBe(i);
            expect(passage.text).toBe(passage.text.trim());
            expect(countTokens(passage.text)).toBeLessThanOrEqual(maxTokens);
            // Of letters and digits, only those of headings are outside sentences.
            const headings = words(
              blocks.map(({ kind, text }) => (kind === 'heading' ? text : ' ')).join(''),
            );
            let end = 0;
            for (const [from, to] of [
              ...passage.sentences,
              [passage.text.length, passage.text.length],
            ] as const) {
              expect(headings).toContain(words(passage.text.slice(end, from)));
              expect(passage.text.slice(from, to).trim()).toHaveLength(to - from);
              expect(countTokens(passage.text.slice(from, to))).toBeLessThanOrEqual(maxTokens);
              end = to;
            }
          });
        },
      ),
      { numRuns: runs(1000) },
    );
  });

  it('is never split within a surrogate pair', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.integer({ min: 2, max: 8 }),
        (text, maxTokens) => {
          for (const passage of toPassages(document(paragraph(text)), {
            countTokens: (text) => text.length,
            minTokens: 1,
            maxTokens,
          })) {
            expect(passage.text).not.toMatch(/\p{Surrogate}/u);
          }
        },
      ),
    );
  });
});

describe('anchors', () => {
  const at = (anchor: string, block: Block): Block => ({ ...block, anchor });
  const page = {
    ...document(
      paragraph(prose(0, 1)),
      at('install', heading('Install')),
      paragraph(prose(1, 2)),
      at('linux', heading('Linux')),
      paragraph(prose(2, 5)),
      at('step-2', paragraph(prose(5, 8))),
      heading('Notes'),
      paragraph(prose(8, 9)),
    ),
    url: 'https://example.org/a',
  };
  const places = (from: Document) =>
    toPassages(from, { ...options, maxTokens: 40 }).map(({ anchor, url }) => [anchor, url]);

  it('are those of the first block, or the last before it', () => {
    const anchors = [undefined, 'install', 'linux', 'linux', 'step-2', 'step-2', 'step-2'];
    expect(places(page)).toEqual(
      anchors.map((anchor) => [anchor, anchor ? `${page.url}#${anchor}` : page.url]),
    );
  });

  it('do not change a URL that has a fragment, and are kept without a URL', () => {
    expect(places({ ...page, url: 'https://example.org/#a' })[1]).toEqual([
      'install',
      'https://example.org/#a',
    ]);
    expect(places({ ...page, url: undefined })[1]).toEqual(['install', undefined]);
  });
});

describe('a document in parts', () => {
  const split = (documents: Document[]) => {
    const split = createSplitter(createCutter(options));
    return documents.flatMap((part) => split(part));
  };
  const section = (n: number): Block[] => [
    heading(`Section ${n}`),
    // Equal paragraphs of different parts have different ids.
    { ...paragraph(prose(0, 2)), anchor: `s${n}` },
    paragraph(prose(3 * n, 3 * n + 4)),
  ];
  const blocks = [heading('Port', 1), ...[0, 1, 2, 3, 4].flatMap(section)];
  const whole: Document = { ...document(...blocks), title: 'Port', url: 'https://example.org/' };
  const parts = (ends: number[], from = whole) =>
    ends.map((end, part) => ({ ...from, part, blocks: blocks.slice(ends[part - 1] ?? 0, end) }));

  it('cut between sections has the same passages as the whole document', () => {
    for (const ends of [[blocks.length], [4, 10, blocks.length], [7, blocks.length]])
      expect(split(parts(ends))).toEqual(toPassages(whole, options));
  });

  it('has ids with a number, even if it has only one passage', () => {
    const ids = (from: Document[]) => split(from).map(({ id }) => id);
    expect(ids(parts([4, blocks.length], { ...whole, id: 'a' }))).toEqual(
      toPassages({ ...whole, id: 'a' }, options).map(({ id }) => id),
    );
    expect(ids([{ ...document(paragraph('One.')), id: 'a', part: 0 }])).toEqual(['a#1']);
  });

  it('ends with another document, or with its own first part', () => {
    const [first, second] = parts([4, blocks.length]);
    const positions = (from: (Document | undefined)[]) =>
      split(from.map((one) => one!)).map((one) => one.position);
    const [a, b] = [split([first!]).length, split([second!]).length];
    const count = (n: number) => [...Array(n).keys()];
    expect(positions([first, second])).toEqual(count(a + b));
    expect(positions([first, first])).toEqual([...count(a), ...count(a)]);
    expect(positions([first, { ...second!, source: 'b.txt' }])).toEqual([...count(a), ...count(b)]);
  });
});

describe('passages are bounded', () => {
  it('in their titles, however long headings and titles are', () => {
    const long = 'heading 🚢 '.repeat(30_000);
    const sections = Array.from({ length: 20 }, (_, i) => [heading(`Part ${i}`, 3), paragraph(`Text ${i}.`)]);
    const found = titles({
      ...document(heading(long, 1), heading(`Two ${long}`), ...sections.flat()),
      title: 'Guide',
    });
    for (const [i, title] of [...new Set(found)].entries()) {
      expect(title.length).toBeLessThanOrEqual(1_000);
      expect(title.isWellFormed()).toBe(true);
      expect(title).toMatch(new RegExp(`^Guide › heading .*… › Two heading .*… › Part ${i}$`, 'u'));
    }
    const byTitle = titles({ ...document(paragraph('One.')), title: long });
    const byFile = titles({ ...document(paragraph('One.')), source: 'a/'.repeat(9) + long });
    for (const [title] of [byTitle, byFile]) expect(title).toMatch(/^heading .{880,991}…$/u);
  });

  it.each([
    ['white space in a sentence', `a${' '.repeat(1e5)}b`],
    ['white space between sentences', `Some words.${'\n'.repeat(1e5)}More words.`],
    ['spaces of all kinds', `a${'\u00a0\u3000\u2003\t'.repeat(3e4)}b`],
    ['invisible characters', `a${'\u200b\u2060\ufe0f'.repeat(3e4)}b`],
    ['characters that are one token together', 'x'.repeat(1e5)],
  ])('in their length, with %s', (_, text) => {
    const words = (part: string) => part.match(/\w+/g)?.length ?? 0;
    const passages = toPassages(document(paragraph(text)), { ...options, countTokens: words });
    for (const passage of passages) {
      expect(passage.text.length).toBeLessThanOrEqual(20 * options.maxTokens);
      expect(passage.text).toMatch(/[abwx]/);
    }
    expect(solid(passages.map((passage) => passage.text).join(''))).toBe(solid(text));
  });

  it('a document of invisible characters has none', () => {
    expect(texts(document(paragraph('\u200b\u00ad\u2800 \u3164\ufeff')))).toEqual([]);
  });
});
