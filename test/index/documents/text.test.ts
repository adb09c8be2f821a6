import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Block } from '../../../index/documents/document.ts';
import { readText, textBlocks } from '../../../index/documents/plain/text.ts';
import { runs } from '../../fixtures/runs.ts';
import { shared } from '../../fixtures/shared.ts';

const read = (name: string) =>
  readFileSync(new URL(`../../fixtures/documents/${name}`, import.meta.url), 'utf8');
const texts = (blocks: Block[], kind: Block['kind']) =>
  blocks.filter((block) => block.kind === kind).map((block) => block.text);
const paragraphs = (text: string) => texts(textBlocks(text), 'paragraph');
const headings = (text: string) => texts(textBlocks(text), 'heading');
const solid = (text: string) => text.replace(/\s/gu, '');
const sorted = (text: string) => [...text].sort().join('');

describe('lines', () => {
  it('joins wrapped lines with a space, or without one in scripts that use no spaces', () => {
    const english =
      'The council agreed on Monday that the harbour should\nbe built to the north, where the water is deeper and\nthe wind is weaker.';
    expect(paragraphs(english)).toEqual([english.replaceAll('\n', ' ')]);
    const chinese =
      '省委书记强调，要抢抓机遇、勇立潮头，坚定不移走开放\n发展之路，大力实施创新引领开放崛起战略，加快建设开\n放强省，构建全面开放新格局。';
    expect(paragraphs(chinese)).toEqual([chinese.replaceAll('\n', '')]);
  });

  it('keeps the hyphen of a hyphenated word, and adds no space', () => {
    expect(
      paragraphs(
        'The cost of it will be shared be-\ntween the town and the county in\nequal parts, as it was before.',
      ),
    ).toEqual([
      'The cost of it will be shared be-tween the town and the county in equal parts, as it was before.',
    ]);
  });

  it.each([
    ['an address', 'The Harbour Office\n2 Quay Street\nNorthport'],
    [
      'verse',
      'The tide comes in, the tide goes out,\nThe gulls above it wheel and shout,\nAnd those who wait upon the stone\nGo home.',
    ],
    [
      'a list',
      'The stalls of this week, in the order of the street:\n- apples and pears\n- rope, twine and nets for boats',
    ],
    [
      'rows of different lengths',
      'Anna Reed, who keeps the books of the harbour office, and the keys of its boats\nTom Ash, cook\nBea Low, who is to follow the old harbour master\nJim Orr, porter',
    ],
    ['a Chinese poem', '床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。'],
  ])('keeps the lines of %s', (_, text) => {
    expect(paragraphs(text)).toEqual([text]);
  });

  it('joins a wrapped list item', () => {
    const text = '1. Nets, which are sold by the yard at the end of\nthe quay\n2. Rope';
    expect(paragraphs(text)).toEqual(['1. Nets, which are sold by the yard at the end of the quay\n2. Rope']);
  });

  it('reads each very long line as a paragraph', () => {
    const long = `${'The council met again and talked about it for hours. '.repeat(4).trim()}`;
    expect(paragraphs(`${long}\n${long}`)).toEqual([long, long]);
    const unmarked = Array.from({ length: 5 }, (_, i) => `Row ${i} ${long.replaceAll('.', '')}`);
    expect(paragraphs(unmarked.join('\n'))).toEqual(unmarked);
    const items = unmarked.map((row) => `- ${row}`).join('\n');
    expect(paragraphs(items)).toEqual([items]);
    expect(paragraphs(`${long.slice(0, -1)} and O\n2 of it. ${long}`)).toEqual([
      `${long.slice(0, -1)} and O 2 of it. ${long}`,
    ]);
  });

  it.each(['\r\n\r\n', '\r\r', '\f', '\n \t\n'])('reads %j as a blank line', (blank) => {
    expect(paragraphs(`It rained.${blank}It stopped.`)).toEqual(['It rained.', 'It stopped.']);
  });
});

describe('split paragraphs', () => {
  it.each([
    [
      'after a comma',
      'The harbour will be deep enough for the ferry, for trawlers,',
      'Monday’s report says, and for most of the yachts that come here.',
      ' ',
    ],
    [
      'before a lower-case letter',
      'The town council voted on Monday to build a',
      'second harbour to the north of the old one.',
      ' ',
    ],
    ['at a hyphen', 'Tickets go up by a tenth because fuel has be-', 'come dearer.', ''],
    [
      'within brackets',
      'The report (written by the harbour master and by the treasurer',
      'Anna Reed) was read aloud before the vote was taken.',
      ' ',
    ],
    [
      'within a Chinese word',
      '承接产业转移的过程就是产业转型升级的过',
      '程，对于推动高质量发展具有重要的意义。',
      '',
    ],
    ['before a closing mark', '他说要推动区域协调发展', '，并且加快建设开放强省，构建全面开放新格局。', ''],
    [
      'before a German noun',
      'Die Stadt baut im kommenden Jahr eine neue Brücke, die den Verkehr aus der Altstadt und aus dem alten',
      'Hafen aufnehmen soll. Der Bau dauert zwei Jahre.',
      ' ',
    ],
    [
      'before a Russian name',
      'Городской совет решил построить новую гавань к северу от старой, как заявил вчера на открытом заседании мэр города',
      'Иван Петров. Работы начнутся весной.',
      ' ',
    ],
    ['after a complete sentence', 'The vote was close. It was held in the', 'Old Hall on Monday.', ' '],
  ])('are rejoined: %s', (_, first, second, joint) => {
    expect(paragraphs(`${first}\n\n${second}`)).toEqual([first + joint + second]);
  });

  it('are rejoined across a headline, a byline or a caption, and that block then follows', () => {
    const first = 'The ferry will sail four times a day from June, and six times a day in the';
    const second = 'weeks of the regatta. Tickets go up by a tenth.';
    for (const between of [
      'New berths in sight',
      '■ Karl Weber',
      'By Jane Alderton',
      'A trawler waits for the tide.',
    ]) {
      const [whole, moved] = textBlocks(`${first}\n\n${between}\n\n${second}`);
      expect(whole).toEqual({ kind: 'paragraph', text: `${first} ${second}` });
      expect(moved?.text).toBe(between);
      expect(moved?.endsSection).toBeUndefined();
    }
  });

  it('are rejoined even if a short part ends with a comma', () => {
    const pieces = [
      '鉴于有必要促进各国间友好关系的发展,',
      '大会,',
      '发布这一世界人权宣言,作为所有人民和所有国家努力实现的共同标准。',
    ];
    expect(textBlocks(pieces.join('\n\n'))).toEqual([{ kind: 'paragraph', text: pieces.join('') }]);
  });

  it('are rejoined from three parts', () => {
    expect(
      paragraphs(
        'The council agreed to build\n\na new harbour to the north of the\n\nold one by the end of the year.',
      ),
    ).toEqual([
      'The council agreed to build a new harbour to the north of the old one by the end of the year.',
    ]);
  });

  it.each([
    [
      'short titles',
      ['Chapter one', 'The beginning', 'It was late when the boat came in, and nobody was left on the quay.'],
    ],
    ['lower-case titles', ['chapter one', 'the beginning']],
    [
      'the stanzas of a poem',
      [
        'The tide comes in, the tide goes out,\nThe gulls above it wheel,',
        'and those who wait upon the stone\nGo home.',
      ],
    ],
    [
      'spaced verse',
      [
        'Shall I compare thee to a summer’s day,',
        'Thou art more lovely and more temperate,',
        'Rough winds do shake the darling buds of May,',
        'And summer’s lease hath all too short a date.',
      ],
    ],
    ['lines of verse', ['The tide comes in,', 'the tide goes out,', 'the gulls above it', 'wheel about,']],
    [
      'the items of a list',
      [
        '- apples and pears',
        '- rope and twine',
        'the prices are on the board at the gate of the market hall.',
      ],
    ],
    [
      'a list after a colon',
      ['You will need the following things:', 'flour, four eggs, a pound of sugar and a little salt.'],
    ],
    ['a numbered headline in Khmer', ['មាត្រា ១', 'មនុស្សទាំងអស់ កើតមកមានសេរីភាព និងសមភាព។']],
    [
      'the next section, after a semicolon',
      [
        'The parties agree that the harbour is to be shared by both of the towns;',
        'Article 2',
        'The costs are borne by the county. They are paid in spring.',
      ],
    ],
    [
      'a name in lower case',
      [
        'New phones and no one buys',
        'iPhone sales fell by a tenth in the last quarter, the company said on Monday.',
      ],
    ],
    [
      'long paragraphs without final punctuation',
      Array.from({ length: 4 }, (_, i) => `${i} and ${'so it went on '.repeat(10).trim()}`),
    ],
  ])('do not include %s', (_, blocks) => {
    expect(textBlocks(blocks.join('\n\n')).map((block) => block.text)).toEqual(blocks);
  });

  it('keeps complete paragraphs unchanged', () => {
    const text = 'Tesla moved to New York in 1884. He worked for Edison (for a while) and left.';
    expect(textBlocks(text)).toEqual([{ kind: 'paragraph', text }]);
  });
});

describe('headlines and bylines', () => {
  const body = 'The council agreed on Monday. Work begins in spring.';

  it('reads short blocks without final punctuation as headlines, the first at level 1', () => {
    expect(textBlocks(`New harbour\n\n${body}\n\nFerry timetable\n\n${body}`)).toEqual([
      { kind: 'heading', level: 1, text: 'New harbour' },
      { kind: 'paragraph', text: body },
      { kind: 'heading', level: 2, text: 'Ferry timetable' },
      { kind: 'paragraph', text: body },
    ]);
  });

  it('does not read a long run of short blocks or the last block as headlines', () => {
    expect(headings(`Stalls\n\nApples\n\nRope\n\nFish\n\nNets for sale\n\n${body}\n\nJane Alderton`)).toEqual(
      ['Stalls'],
    );
  });

  it('ends an article at its byline', () => {
    const blocks = textBlocks(`New harbour\n\n${body}\n\n■ Karl Weber\n\n${body}`);
    expect(blocks.map((block) => block.endsSection)).toEqual([undefined, undefined, true, undefined]);
  });

  it.each(['By Jane Alderton', '■ Jane Alderton', '本报记者 张三'])(
    'starts an article with the byline %s below its headline',
    (byline) => {
      const blocks = textBlocks(`New harbour\n\n${byline}\n\n${body}`);
      expect(blocks.map(({ kind, endsSection }) => [kind, endsSection])).toEqual([
        ['heading', undefined],
        ['paragraph', undefined],
        ['paragraph', undefined],
      ]);
    },
  );

  it('uses the first headline of a text as its title', () => {
    expect(readText(`New harbour\n\n${body}`, 'a.txt').title).toBe('New harbour');
    expect(readText(`${body}\n\nNew harbour\n\n${body}`, 'a.txt').title).toBeUndefined();
  });
});

describe('a page', () => {
  it('in English is reconstructed', () => {
    const blocks = textBlocks(read('page-en.txt'));
    expect(texts(blocks, 'heading')).toEqual([
      'Council backs new harbour after a night of debate',
      'Berths for sixty boats will be dug',
      'Ferry timetable grows',
      'A verse for the quay',
      'Market stalls this week',
    ]);
    expect(texts(blocks, 'paragraph')).toEqual([
      'The vote was closer than expected.',
      'By Jane Alderton',
      'The town council voted on Monday to build a second harbour to the north of the old one, ending an argument that has run for eleven years. Work is to begin in spring, and the first boats should tie up before the autumn storms.',
      'Fishermen in the gallery cheered. “We have waited a long time,” said Tom Reed, who keeps three trawlers, while others left the hall without a word. The cost, put at four million, will be shared be-tween the town and the county for as long as the loan runs, which the treasurer expects to be nine years at the most.',
      'A trawler waits for the tide at the old quay last week.',
      'The ferry to the island will sail four times a day from June. Tickets go up by a tenth, the company said, because fuel has be-come dearer. Season tickets stay as they are.',
      '● Tom Reed is a columnist',
      'Monday will be dry in the east. Rain is expected on the hills by evening.',
      'The tide comes in, the tide goes out,\nThe gulls above it wheel and shout,',
      'And those who wait upon the stone\nGo home at dusk, and go alone.',
      '- apples and pears\n- rope, twine and nets\n- smoked mackerel',
      'The Harbour Office\n2 Quay Street\nNorthport',
    ]);
    expect(blocks.filter((block) => block.endsSection).map((block) => block.text)).toEqual([
      '● Tom Reed is a columnist',
    ]);
  });

  it('in German is reconstructed', () => {
    const blocks = textBlocks(read('page-de.txt'));
    expect(blocks).toEqual([
      { kind: 'heading', level: 1, text: 'Neue Brücke über den Fluss' },
      { kind: 'paragraph', text: 'Von Anna Schmidt' },
      {
        kind: 'paragraph',
        text: 'Die Stadt baut im kommenden Jahr eine neue Brücke über den Fluss, die den Verkehr aus der Altstadt und dem Hafen von Norden her aufnehmen soll. Der Bau dauert zwei Jahre. Die alte Brücke bleibt für Fußgänger und Radfahrer offen, so der zuständige Stadtrat am Dienstag. Kritik kam von den Anwohnern.',
      },
      { kind: 'paragraph', text: '■ Redaktion Stadtleben' },
      { kind: 'heading', level: 2, text: 'Bücherei schließt für drei Wochen' },
      {
        kind: 'paragraph',
        text: 'Die Bücherei am Markt schließt ab dem 3. August für drei Wochen, weil das Dach undicht ist. Ausgeliehene Bücher, Filme und Spiele können bis September zurückgegeben werden.',
      },
      { kind: 'paragraph', text: '■ Karl Weber', endsSection: true },
      { kind: 'paragraph', text: 'Am Sonntag spielt die Blaskapelle im Park.' },
    ]);
  });

  const seed = shared('seed/000_af465b139886446f.txt');
  it.skipIf(seed.missing)('of a Chinese newspaper is reconstructed', () => {
    const text = readFileSync(seed.path, 'utf8');
    const blocks = textBlocks(text);
    expect(texts(blocks, 'heading')).toEqual([
      '杜家毫在开放强省暨湘南湘西承接产业转移示范区建设推进大会上强调 抢抓机遇，着力构建全面开放新格局',
      '扎实做好承接产业转移，构建湖南全面开放新格局',
      '以更有力举措推进开放强省建设迈上新台阶',
      '链接 湖南企业走进92个国家和地区',
      '开栏语',
      '5年承接转移企业534家 老工业基地衡阳迸发新动能',
      '“墙内事”企业管 “墙外事”政府办',
      '衡阳钟表 远销80多个国家和地区',
      '争当承接东部产业转移“领头雁”',
    ]);
    for (const healed of [
      '产业转型升级的过程，对于',
      '积极拓展国际大市场',
      '执行力地级市，扎实开展',
      '目前公司生产的手表远销80多个国家',
    ]) {
      expect(texts(blocks, 'paragraph').filter((paragraph) => paragraph.includes(healed))).toHaveLength(1);
    }
    expect(blocks.filter((block) => block.endsSection).map((block) => block.text)).toEqual([
      '■记者 贺佳 周帙恒 周月桂',
      '■记者 周月桂',
      '■记者 潘显璇',
    ]);
    expect(solid(blocks.map((block) => block.text).join(''))).toBe(solid(text));
  });
});

describe('any text', () => {
  const snippet = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      ...[
        '\n',
        '\n\n',
        '\r\n',
        '\f',
        ' ',
        '. ',
        '。',
        '，',
        ', ',
        '- ',
        '1. ',
        '■记者 ',
        'By Jane Reed',
        '“',
        '）',
        '-',
        '公',
        '司',
      ],
      ...[
        'the harbour ',
        'Hafen ',
        '积极拓展国际大市场',
        'and so on and on for as long as it takes to fill a line of a page ',
      ],
    ),
  );
  const text = fc.array(snippet, { maxLength: 60 }).map((parts) => parts.join(''));

  it('keeps every character except white space', () => {
    fc.assert(
      fc.property(text, (text) => {
        const kept = textBlocks(text).map((block) => block.text);
        expect(sorted(solid(kept.join('')))).toBe(sorted(solid(text)));
        for (const block of kept) expect(block).toBe(block.trim());
      }),
      { numRuns: runs(1000) },
    );
  });

  it('keeps the order of characters if no sentence is split', () => {
    const whole = text.map((text) => text.replace(/\n\s*\n|\f/g, '.$&'));
    fc.assert(
      fc.property(whole, (text) => {
        expect(
          solid(
            textBlocks(text)
              .map((block) => block.text)
              .join(''),
          ),
        ).toBe(solid(text));
      }),
      { numRuns: runs(1000) },
    );
  });
});
