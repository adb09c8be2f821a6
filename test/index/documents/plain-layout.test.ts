import { describe, expect, it } from 'vitest';
import { textBlocks } from '../../../index/documents/plain/text.ts';
import { outline } from '../../fixtures/read.ts';

const read = (text: string) => outline([{ source: 'a.txt', blocks: textBlocks(text) }]);
const headings = (text: string) =>
  textBlocks(text)
    .filter(({ kind }) => kind === 'heading')
    .map(({ text, level }) => [level, text]);

const prose =
  'The council agreed on Monday that the harbour should be\nbuilt to the north, where the water is deeper.';

describe('headings', () => {
  it.each([
    ['a line of equals signs', `Harbour\n=======\n\n${prose}`, [1, 'Harbour']],
    ['a line of hyphens', `${prose}\n\nHarbour\n-------\n\n${prose}`, [3, 'Harbour']],
    ['a number with levels', `${prose}\n\n7.2 SELinux\n\n${prose}`, [3, '7.2 SELinux']],
    ['a number', `${prose}\n\n2. The harbour\n\n${prose}`, [2, '2. The harbour']],
    ['Section', `${prose}\n\nSection 3.\n\n${prose}`, [2, 'Section 3.']],
    ['Article', `${prose}\n\nArticle IV\n\n${prose}`, [2, 'Article IV']],
    [
      '第…章',
      '老船夫住在河边已经三十年了。\n\n第3章 渡口\n\n镇上的人都认识他，却没有人知道他从哪里来。',
      [2, '第3章 渡口'],
    ],
    [
      '제…장',
      '공원은 매일 열린다. 입장은 무료이다.\n\n제3장 나루터\n\n마을 사람들은 모두 그를 안다. 그러나 아무도 모른다.',
      [2, '제3장 나루터'],
    ],
    ['Глава', `${prose}\n\nГлава 2. Порт\n\n${prose}`, [2, 'Глава 2. Порт']],
    ['§', `${prose}\n\n§ 4 Der Hafen\n\n${prose}`, [2, '§ 4 Der Hafen']],
    ['a Roman number', `${prose}\n\nIV\n\n${prose}`, [2, 'IV']],
    ['capitals', `${prose}\n\nTHE HARBOUR\n\n${prose}`, [2, 'THE HARBOUR']],
    [
      'a place above indented prose',
      `${prose}\n\nThe harbour\n\n   It was built in a year.`,
      [2, 'The harbour'],
    ],
    [
      'the middle of the page',
      `${prose}\n\n                      The harbour\n\n${prose}`,
      [2, 'The harbour'],
    ],
    ['a place above prose', `${prose}\n\nA new harbour\n\n${prose}`, [2, 'A new harbour']],
  ])('are shown by %s', (_, text, heading) => {
    expect(headings(text)).toEqual([heading]);
  });

  it('of a page of a manual are further to the left than their text', () => {
    const page = [
      'LS(1)                     User Commands                     LS(1)',
      'NAME\n       ls - list directory contents',
      'SYNOPSIS\n       ls [OPTION]... [FILE]...',
      'DESCRIPTION\n       List information about the files.',
      '       -a, --all\n              do not ignore entries starting with .',
      '   Exit status\n       0 if all went well.',
    ];
    expect(headings(page.join('\n\n'))).toEqual([
      [2, 'NAME'],
      [2, 'SYNOPSIS'],
      [2, 'DESCRIPTION'],
      [3, 'Exit status'],
    ]);
  });

  it('may be directly above their text if they are numbered, as in text of a PDF', () => {
    const text = `3.1.2 May I sleep on the\nboat?\n${prose}\n\n3.2 Berths\n${prose}`;
    expect(headings(text)).toEqual([
      [4, '3.1.2 May I sleep on the boat?'],
      [3, '3.2 Berths'],
    ]);
  });

  it.each([
    ['the items of a numbered list', `${prose}\n\n1. Nets\n\n2. Rope\n\n3. Fish\n\n${prose}`],
    ['a list in the middle of prose', `${prose}\n\n- nets\n\n${prose}`],
    ['a command below a colon', `Type this at the prompt:\n\nmutt -v\n\n${prose}`],
    ['a command', `${prose}\n\nsudo apt-get install mutt > /dev/null\n\n${prose}`],
    ['an address', `${prose}\n\nhttps://www.example.org/harbour\n\n${prose}`],
    ['a salutation', `Dear all,\n\n${prose}`],
    ['a label', `${prose}\n\nNote\n\n${prose}`],
    ['a copyright notice', `${prose}\n\nCopyright (C) 1992 Jane Reed\n\n${prose}`],
    ['a comment in code', `${prose}\n\n# PACKAGE RELATED\n\n${prose}`],
    [
      'words of two scripts in a sentence',
      `${prose}\n\n通常は IDE と SCSI のシステムもサポートされています。\n\n${prose}`,
    ],
    [
      'the cells of a table',
      `${prose}\n\nln\n\nMake links between files\n\nls\n\nList a directory\n\nmv\n\n${prose}`,
    ],
    [
      'a line above a table of contents',
      `${prose}\n\nIntroduction\n\n1.1 Nets . . . . . . . . . 3\n1.2 Rope . . . . . . . . . 7\n\n${prose}`,
    ],
    ['a table of contents', `${prose}\n\n1.1. Nets\n\n1.2. Rope\n\n1.3. Fish\n\nThe end of it.`],
    ['the head of a table', `${prose}\n\nType | Request\n--------------\n1    | list`],
    ['the number of a section', `${prose}\n\n2.5\n\n${prose}`],
  ])('are not %s', (_, text) => {
    expect(headings(text)).toEqual([]);
  });

  it('are not the name and date below a title', () => {
    expect(headings(`The harbour\n\nA report by the master\n\n${prose}`)).toEqual([[1, 'The harbour']]);
  });
});

describe('lines', () => {
  it('of a table stay apart', () => {
    const table = 'Name     Berth   Since\nAnna     12      2001\nTom      7       1998';
    expect(read(table)).toBe(table);
    const box = '+------+-------+\n| Name | Berth |\n+------+-------+\n| Anna | 12    |\n+------+-------+';
    expect(read(box)).toBe(box);
  });

  it('of a table of contents stay apart', () => {
    const contents =
      '1.1 The harbour of the town . . . . . . . 3\n1.2 The ferry to the island . . . . . . . 17';
    expect(read(contents)).toBe(contents);
  });

  it('of commands stay apart', () => {
    const commands =
      '$ tar -xzmf debhello-0.0.tar.gz and some more\n$ cd debhello-0.0\n$ debmake -t a long list of arguments';
    expect(read(commands)).toBe(commands);
  });

  it('of a changelog are joined item by item', () => {
    const log = [
      'harbour (2.1) unstable; urgency=medium',
      '  * New upstream release.\n  * Build the pier to the north of the old one, because the water is\n    deeper there. (Closes: #1051563)',
      ' -- Jane Reed <jane@example.org>  Thu, 12 Nov 2020 10:28:10 +0530',
    ];
    expect(read(log.join('\n\n'))).toBe(
      [
        log[0],
        '* New upstream release.\n* Build the pier to the north of the old one, because the water is deeper there. (Closes: #1051563)',
        log[2]!.trim(),
      ].join('\n'),
    );
  });

  it('of justified text are joined with single spaces', () => {
    const text =
      'The  council  agreed  on  Monday  that  the harbour  should be\nbuilt  to  the  north,  where  the water is deeper and the wind\nis weaker.';
    expect(read(text)).toBe(
      'The council agreed on Monday that the harbour should be built to the north, where the water is deeper and the wind is weaker.',
    );
  });

  it('begin a paragraph if they are indented', () => {
    const text = `  When the old lamplighter died, the people of the village ex-\npected his daughter to leave. She was nineteen, and had no\nfamily.\n  But on the evening of the funeral the lamp was lit as usual,\na quarter of an hour before sunset.\n  "She'll tire of it," said the postmistress.`;
    expect(textBlocks(text).map(({ text }) => text.slice(0, 12))).toEqual([
      'When the old',
      'But on the e',
      `"She'll tire`,
    ]);
  });

  it('begin a paragraph below a short line that ends a sentence', () => {
    const ferry =
      'The ferry will sail four times a day from June, and six times a day in the weeks of the regatta.';
    expect(read(`${prose.replace('\n', ' ')}\nIt rained.\n${ferry}`)).toBe(
      `${prose.replace('\n', ' ')} It rained.\n${ferry}`,
    );
  });

  it('below a term are joined, and the term keeps its line', () => {
    const text =
      '-a, --all\n       do not ignore entries whose names start with a full stop, and\n       list them first';
    expect(read(text)).toBe(
      '-a, --all\ndo not ignore entries whose names start with a full stop, and list them first',
    );
  });
});

describe('pages', () => {
  const first = '   Kitchens have exchanged recipes for centuries. Servers that hold';
  const second = '   more than a thousand recipes may split their lists into pages.';
  const whole =
    'Kitchens have exchanged recipes for centuries. Servers that hold more than a thousand recipes may split their lists into pages.';

  it('are joined, and their feet and heads follow', () => {
    const foot = 'Writer                    Informational                    [Page 1]';
    const head = 'RFC 99001                 Recipe Exchange                March 2004';
    expect(read(`${first}\n\n\n\n${foot}\n\f\n${head}\n\n\n${second}`)).toBe([whole, foot, head].join('\n'));
  });

  it('have numbers that are no headings and split no paragraph', () => {
    expect(read(`${first}\n\n- 12 -\n\n${second}`)).toBe(`${whole}\n- 12 -`);
  });

  it('do not end an example between two paragraphs', () => {
    const text =
      'To subscribe to a list of the harbour office, please send mail to\n\n        quay-request@example.org\n\nwith the word subscribe as the subject.';
    expect(textBlocks(text)).toHaveLength(3);
  });
});
