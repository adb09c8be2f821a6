/** Ligatures and other forms that fonts have for letters: Latin and Armenian, Hebrew, Arabic, Han. */
const FORMS =
  /[\uFB00-\uFB06\uFB13-\uFB17\uFB1D-\uFDFF\uFE70-\uFEFC\u2E80-\u2FDF\uF900-\uFAFF\u{2F800}-\u{2FA1F}]+/gu;

/** What carries no text: controls, private use, zero-width characters. A soft hyphen stays, because it ends lines. */
const NOTHING = /[\p{Cc}\p{Co}\u200B\u2060\uFEFF\uFFFD-\uFFFF]+/gu;

/** Radicals that fonts have in place of the same Han characters, which NFKC keeps. From Unicode's EquivalentUnifiedIdeograph. */
const RADICALS = new Map(
  '⺁厂⺄乙⺅亻⺆冂⺇几⺈刀⺉刂⺊卜⺋㔾⺌小⺍小⺎尢⺏尣⺐尢⺒巳⺓幺⺔彑⺖忄⺗心⺘扌⺙攵⺛旡⺜日⺝月⺞歺⺟母⺠民⺡氵⺢氺⺣灬⺤爫⺥爫⺦丬⺨犭⺩王⺪疋⺫目⺬示⺭礻⺮竹⺯糹⺱罒⺲罒⺳罓⺵羊⺸羊⺹耂⺺肀⺼月⻀艹⻁虎⻂衤⻃覀⻄西⻅见⻆角⻈讠⻉贝⻋车⻌辶⻍辶⻎辶⻏邑⻐钅⻑長⻒镸⻓长⻔门⻕阜⻖阝⻗雨⻘青⻙韦⻚页⻛风⻜飞⻝食⻟食⻠饣⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻬齐⻭歯⻮齿⻰龙⻲亀⻳龟'
    .match(/../gu)
    ?.map((pair): [string, string] => [pair[0]!, pair.slice(1)]),
);

/** Replaces ligatures and forms by their letters, and removes what carries no text. */
export function cleanText(text: string): string {
  return text
    .replace(FORMS, (form) =>
      form.normalize('NFKC').replace(/[\u2E80-\u2EFF]/g, (radical) => RADICALS.get(radical) ?? radical),
    )
    .replace(/\s/gu, ' ')
    .replace(NOTHING, '');
}

const RTL = /[\p{Script=Hebr}\p{Script=Arab}\p{Script=Syrc}\p{Script=Thaa}\p{Script=Nkoo}]/gu;
const LETTER = /\p{L}/gu;

/** Whether most letters are of a script that is written from right to left. */
export function isRightToLeft(text: string): boolean {
  const rtl = text.match(RTL)?.length ?? 0;
  return rtl > 0 && rtl * 2 > (text.match(LETTER)?.length ?? 0);
}

/** Puts runs that are sorted from left to right into the order of reading. In a right-to-left line, words of other scripts keep their order. */
export function logicalOrder<T extends { text: string }>(runs: T[]): T[] {
  if (!isRightToLeft(runs.map(({ text }) => text).join(''))) return reverseRuns(runs, isRightToLeft);
  return reverseRuns([...runs].reverse(), (text) => /[\p{L}\p{N}]/u.test(text) && !isRightToLeft(text));
}

/** Reverses each sequence of runs that match, with what is between them. */
function reverseRuns<T extends { text: string }>(runs: T[], matches: (text: string) => boolean): T[] {
  const result: T[] = [];
  for (let i = 0; i < runs.length; i++) {
    if (!matches(runs[i]!.text)) {
      result.push(runs[i]!);
      continue;
    }
    let end = i;
    for (let j = i + 1; j < runs.length; j++) {
      if (matches(runs[j]!.text)) end = j;
      else if (/[\p{L}\p{N}]/u.test(runs[j]!.text)) break;
    }
    for (let j = end; j >= i; j--) result.push(runs[j]!);
    i = end;
  }
  return result;
}
