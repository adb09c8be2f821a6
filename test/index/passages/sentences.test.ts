import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sentences } from '../../../index/passages/sentences.ts';

const split = (text: string, lang = 'en') =>
  sentences(text, lang).map(([start, end]) => text.slice(start, end));

describe('sentences', () => {
  it.each([
    ['en', ['The council met on Monday.', 'It voted at once!', 'Was anybody surprised?']],
    [
      'en',
      ['He met Dr. Smith and J. R. Reed of the U.S. Navy in room No. 5 today.', 'They talked for hours.'],
    ],
    [
      'de',
      [
        'Am 3. Mai kam z. B. das Schiff aus Hamburg mit ca. 40 Leuten an.',
        'Das 19. Jahrhundert begann erst danach.',
      ],
    ],
    ['es', ['El Sr. García llegó ayer a la ciudad.', '¿Quién lo esperaba en la estación?']],
    ['ru', ['В 1990 г. Иванов переехал на ул. Мира в Москве.', 'Там он живёт до сих пор.']],
    ['zh', ['会议在长沙召开了两天。', '他强调：“要抢抓机遇、勇立潮头。”', '然后大家都回家去了。']],
    ['hi', ['परिषद ने सोमवार को मतदान किया।', 'नया बंदरगाह उत्तर में बनेगा।']],
    ['ar', ['صوت المجلس يوم الاثنين على المشروع.', 'هل تفاجأ أحد من هذا القرار؟']],
  ])('match a human reader’s: %s, %j', (lang, expected) => {
    expect(split(expected.join(' '), lang)).toEqual(expected);
  });

  it('end at line ends', () => {
    expect(split('Ferry timetable\nThe ferry sails at noon\r\n\r\n  Berths  ')).toEqual([
      'Ferry timetable',
      'The ferry sails at noon',
      'Berths',
    ]);
  });

  it('include adjacent text that is too short alone', () => {
    expect(split('Yes. The council voted on Monday. No! It was on Tuesday, they say.')).toEqual([
      'Yes. The council voted on Monday. No!',
      'It was on Tuesday, they say.',
    ]);
  });

  it('may end with a number in English', () => {
    expect(split('They won the match by 24 to 10. The others went home.', 'en')).toHaveLength(2);
  });

  it('are found in long texts and long sentences', () => {
    const long = `It Went On ${'And On '.repeat(2000)}Until Noon.`;
    const expected = Array.from({ length: 500 }, (_, i) =>
      i % 100 === 7 ? long : `This Is A Sentence, Of Capitals Alone, And Its Number Is ${i} Of Many.`,
    );
    expect(split(expected.join(' '))).toEqual(expected);
  });

  it.each(['no such language', 'xx', 'zh_CN', ''])('are found with the language tag %j', (lang) => {
    expect(split('The council met on Monday. It voted at once.', lang)).toHaveLength(2);
  });

  it('cover any text except white space, in order, trimmed and without overlap', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('. ', '\n', 'Dr.', '。', '”', ' 5. ', '\ud83d'),
    );
    fc.assert(
      fc.property(fc.array(part), fc.constantFrom('en', 'de', 'zh', 'th'), (parts, lang) => {
        const text = parts.join('');
        let end = 0;
        for (const [from, to] of sentences(text, lang)) {
          expect(text.slice(end, from).trim()).toBe('');
          expect(text.slice(from, to).trim()).toHaveLength(to - from);
          expect(to).toBeGreaterThan(from);
          end = to;
        }
        expect(text.slice(end).trim()).toBe('');
      }),
      { numRuns: 1000 },
    );
  });
});
