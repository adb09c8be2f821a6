import { describe, expect, it } from 'vitest';
import { DuplicateFinder } from '../../../../index/ingest/passages/duplicates.ts';
import { randomNumbers } from '../../../fixtures/index.ts';

function findDuplicates(texts: readonly string[]): number[][] {
  const finder = new DuplicateFinder((ordinal) => texts[ordinal]!);
  for (const text of texts) finder.add(text);
  return finder.groups();
}

describe('duplicates', () => {
  it('differ in white space, case, punctuation and width only', () => {
    expect(
      findDuplicates([
        'The ferry sails at noon.',
        'It rains.',
        'The  ferry\nsails at “noon”!',
        'THE FERRY SAILS, AT NOON',
        'Ｔｈｅ ferry sails at noon',
        'it rains',
      ]),
    ).toEqual([
      [0, 2, 3, 4],
      [1, 5],
    ]);
  });

  it.each([
    ['It costs 1.5 euros.', 'It costs 15 euros.'],
    ['Store it at -5 degrees.', 'Store it at 5 degrees.'],
    ['If a < b, stop.', 'If a > b, stop.'],
    ['The ferry sails at noon.', 'The ferry sailed at noon.'],
    ['Ja', 'Yes'],
    ['—', '…'],
    ['', ' '],
  ])('do not include %j and %j', (a, b) => {
    expect(findDuplicates([a, b])).toEqual([]);
  });

  const long = {
    en: 'The harbour office opens every weekday in the morning and closes late in the afternoon. Visitors who arrive by boat show their papers at the counter, pay the mooring fee and receive a key for the showers. The key must be returned before departure, because only a few exist.',
    zh: '港口办公室每个工作日上午开放，下午较晚时关闭。乘船到达的游客在柜台出示证件，缴纳停泊费，并领取淋浴间的钥匙。钥匙必须在离开之前归还，因为数量很少。办公室旁边有一家小商店，出售面包、牛奶和渔具，夏天也出售冰淇淋和报纸，冬天则只在周末营业，店主住在楼上，晚上也可以敲门。',
    ar: 'يفتح مكتب الميناء أبوابه كل يوم عمل في الصباح ويغلق في وقت متأخر بعد الظهر. يقدم الزوار الذين يصلون بالقارب أوراقهم عند الشباك ويدفعون رسوم الرسو ويحصلون على مفتاح الحمامات. يجب إعادة المفتاح قبل المغادرة لأن عددها قليل.',
    th: 'สำนักงานท่าเรือเปิดทุกวันทำการในตอนเช้าและปิดในช่วงบ่ายแก่ ๆ ผู้มาเยือนที่มาทางเรือแสดงเอกสารที่เคาน์เตอร์ จ่ายค่าจอดเรือ และรับกุญแจห้องอาบน้ำ ต้องคืนกุญแจก่อนออกเดินทางเพราะมีจำนวนน้อย',
  };

  it.each(Object.entries(long))('may differ a little in a long text: %s', (_, text) => {
    const half = Math.floor(text.length / 2);
    const typo = `${text.slice(0, half)}xy${text.slice(half + 2)}`;
    const numbered = (n: number) => `${text} ${n}`;
    expect(findDuplicates([text, typo])).toEqual([[0, 1]]);
    expect(
      findDuplicates([text, `${text.slice(0, half)} ${text.slice(half).split('').reverse().join('')}`]),
    ).toEqual([]);
    expect(findDuplicates([numbered(1), numbered(2), numbered(1)])).toEqual([[0, 2]]);
  });

  const shinglesOf = (text: string) =>
    new Set(Array.from({ length: text.length - 4 }, (_, i) => text.slice(i, i + 5)));

  /** The Jaccard similarity, by definition. */
  const similarity = (a: ReadonlySet<string>, b: ReadonlySet<string>) => {
    const common = [...a].filter((shingle) => b.has(shingle)).length;
    return common / (a.size + b.size - common);
  };

  it('are those that a comparison of all pairs finds', () => {
    const random = randomNumbers(5);
    const word = () =>
      Array.from({ length: 40 + random() * 400 }, () => 'abcdefghijklmnop'[Math.floor(random() * 16)]).join(
        '',
      );
    const edited = (text: string) => {
      const characters = [...text];
      for (let edits = random() * 6; edits > 1; edits--)
        characters[Math.floor(random() * characters.length)] = 'z';
      return characters.join('');
    };
    const texts = Array.from({ length: 40 }, word).flatMap((text) => [
      text,
      edited(text),
      edited(text),
      text,
    ]);
    const shingles = texts.map(shinglesOf);
    const groups = findDuplicates(texts);
    const leaders = texts.map((_, i) => groups.find((group) => group.includes(i))?.[0] ?? i);
    let near = 0;
    texts.forEach((text, i) => {
      const earlier = leaders.slice(0, i).filter((leader, j) => leader === j);
      const similar = earlier.filter((leader) => similarity(shingles[leader]!, shingles[i]!) >= 0.9);
      if (similar.length > 0) expect(similar).toContain(leaders[i]);
      else expect(leaders[i]).toBe(i);
      if (similar.length > 0 && texts[leaders[i]!] !== text) near++;
    });
    expect(near).toBeGreaterThan(25);
    expect(groups.flat()).toHaveLength(new Set(groups.flat()).size);
    for (const group of groups) expect(group).toEqual([...group].sort((a, b) => a - b));
  });
});
