import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { AutoTokenizer, env } from '@xenova/transformers';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_MODEL } from '../../../index/compile/compile.ts';
import { compileTokenizer, type TokenizerJson } from '../../../index/compile/compile-tokenizer.ts';
import { Tokenizer } from '../../../index/embedding/tokenizer.ts';
import { tinyTokenizer } from '../../fixtures/models/tiny-model.ts';
import { runs } from '../../fixtures/runs.ts';
import { shared } from '../../fixtures/shared.ts';

const reference = shared('eval/tokens/golden.jsonl.gz');
const UNKNOWN = 3;

/** One plain sentence per language that @xenova/transformers tokenizes correctly. */
const SENTENCES = [
  'All human beings are born free and equal in dignity and rights.',
  'Tous les êtres humains naissent libres et égaux en dignité et en droits.',
  'Alle Menschen sind frei und gleich an Würde und Rechten geboren.',
  'Todos los seres humanos nacen libres e iguales en dignidad y derechos.',
  'Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti.',
  'Todos os seres humanos nascem livres e iguais em dignidade e em direitos.',
  'Все люди рождаются свободными и равными в своём достоинстве и правах.',
  'Всі люди народжуються вільними і рівними у своїй гідності та правах.',
  'Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw.',
  'Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv.',
  'Minden emberi lény szabadon születik és egyenlő méltósága és joga van.',
  'Toate ființele umane se nasc libere și egale în demnitate și în drepturi.',
  'Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια.',
  'Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar.',
  'Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan.',
  'Alla människor är födda fria och lika i värde och rättigheter.',
  'Tất cả mọi người sinh ra đều được tự do và bình đẳng.',
  'Semua orang dilahirkan merdeka dan mempunyai martabat yang sama.',
  'Watu wote wamezaliwa huru, hadhi na haki zao ni sawa.',
  'یہ ایک سادہ جملہ ہے۔',
  'يولد جميع الناس أحرارا متساوين في الكرامة والحقوق.',
  'تمام افراد بشر آزاد به دنیا آمدند.',
  'כל בני האדם נולדו בני חורין.',
  '人人生而自由，在尊严和权利上一律平等。',
  'すべての人間は生まれながらにして自由である。',
  '모든 인간은 태어날 때부터 자유로우며 존엄하다.',
  'มนุษย์ทั้งหลายเกิดมามีอิสระ',
  'ყველა ადამიანი იბადება თავისუფალი.',
  'Բոլոր մարդիկ ծնվում են ազատ։',
  'Visi žmonės gimsta laisvi ir lygūs savo orumu ir teisėmis.',
  'Všetci ľudia sa rodia slobodní a sebe rovní.',
  'Всички хора се раждат свободни и равни по достойнство.',
  'Allir menn eru bornir frjálsir og jafnir að virðingu.',
  'Gizon-emakume guztiak aske jaiotzen dira.',
  'Rhyddid i bawb, ym mhob man.',
  'What is 12,345.67 € in dollars (at 3:45 pm)?',
  'e-mail: someone@example.org, https://example.org/a?b=c#d',
  '“Quoted”, ‘single’ — and a dash…',
  'ALL CAPITALS and MiXeD cAsE',
  'tabs\tand\nlines\r\nand  several   spaces ',
];

let json: TokenizerJson;
let tokenizer: Tokenizer;
beforeAll(() => {
  json = JSON.parse(readFileSync(join(DEFAULT_MODEL, 'tokenizer.json'), 'utf8'));
  tokenizer = new Tokenizer(compileTokenizer(json));
});

/** The text of token ids, with words marked as in the vocabulary. */
function decode(ids: number[]): string {
  return ids.map((id) => json.model.vocab[id]![0]).join('');
}

describe('compared with the reference', () => {
  test('returns the ids of @xenova/transformers for plain sentences', async () => {
    env.allowRemoteModels = false;
    env.localModelPath = dirname(DEFAULT_MODEL);
    const reference = await AutoTokenizer.from_pretrained('model');
    for (const text of SENTENCES) {
      const { input_ids } = reference(text);
      expect(tokenizer.encode(text), text).toEqual(Array.from(input_ids.data as BigInt64Array, Number));
    }
  });

  test.skipIf(reference.missing)(
    'returns the reference ids of 1,839 texts (skipped without the file)',
    () => {
      const lines = gunzipSync(readFileSync(reference.path)).toString().trimEnd().split('\n');
      const golden = lines.map((line): { text: string; ids: number[] } => JSON.parse(line));
      expect(golden.length).toBe(1839);
      for (const { text, ids } of golden) expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
    },
  );
});

describe('any text', () => {
  const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 });
  const odd = fc.constantFrom(
    '\ud800',
    '\udc00',
    '\0',
    '\u0301',
    '\u200d',
    '👩',
    '▁',
    '<s>',
    '<mask>',
    ' ',
    'क',
    '्',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    units.map((list) => String.fromCharCode(...list)),
    fc.array(odd, { maxLength: 40 }).map((list) => list.join('')),
    fc.tuple(fc.string({ unit: 'grapheme' }), odd, fc.nat(2000)).map(([a, b, n]) => a + b.repeat(n)),
  );

  test('has ids of the vocabulary between the begin and end tokens', () => {
    fc.assert(
      fc.property(text, (one) => {
        const ids = tokenizer.encode(one);
        expect([ids[0], ids.at(-1)]).toEqual([0, 2]);
        expect(ids.every((id) => id >= 0 && (id < json.model.vocab.length || id === 250_001))).toBe(true);
        expect(ids.slice(1, -1)).toEqual(tokenizer.pieces(one));
      }),
      { numRuns: runs(500) },
    );
  });

  test('of words has the tokens of each word', () => {
    const letter = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ');
    const word = fc.array(letter, { minLength: 1, maxLength: 20 }).map((letters) => letters.join(''));
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(tokenizer.pieces(words.join(' '))).toEqual(words.flatMap((one) => tokenizer.pieces(one)));
      }),
    );
  });

  test('of words has the tokens of each word, even with graphemes of several characters', () => {
    const word = fc.constantFrom(
      'cafe\u0301',
      '\u1112\u1161\u11ab',
      'क्षि',
      'நி',
      '\u0e01\u0e33',
      'A\u030a\u0327',
      'Ω\u0301',
    );
    fc.assert(
      fc.property(fc.array(word, { minLength: 200, maxLength: 900 }), (words) => {
        expect(tokenizer.pieces(words.join(' '))).toEqual(words.flatMap((one) => tokenizer.pieces(one)));
      }),
    );
  });

  test('of ASCII letters can be decoded', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z]{1,200}$/), (one) => {
        expect(decode(tokenizer.pieces(one))).toBe(`▁${one}`);
      }),
    );
  });

  test('is tokenized with U+FFFD for lone surrogates', () => {
    expect(tokenizer.encode('a\ud800b')).toEqual(tokenizer.encode('a\ufffdb'));
  });

  test('has no token across a zero byte', () => {
    const words = ['question', 'information', 'Rechte', 'человек'];
    for (const word of words) {
      for (let at = 1; at < word.length; at++)
        expect(tokenizer.pieces(`${word.slice(0, at)}\0${word.slice(at)}`)).toContain(UNKNOWN);
    }
  });
});

describe('a quarter of a megabyte', () => {
  const LENGTH = 2 ** 18;

  test.each([
    ['of one letter', 'a'.repeat(LENGTH)],
    ['of combining marks', '\u0301'.repeat(LENGTH)],
    ['of a letter with combining marks', `e${'\u0323'.repeat(LENGTH)}`],
    ['of ideographs', '漢字'.repeat(LENGTH / 2)],
    ['of Hindi', 'मनुष्यों'.repeat(LENGTH / 8)],
    ['of emoji', '😀'.repeat(LENGTH / 2)],
  ])('%s can be decoded', (_name, text) => {
    expect(decode(tokenizer.pieces(text)) === `▁${text}`).toBe(true);
  });

  test('of Hindi words can be decoded', () => {
    const text = 'सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता प्राप्त है '.repeat(LENGTH / 80);
    expect(decode(tokenizer.pieces(text)).replaceAll('▁', ' ') === ` ${text.trimEnd()}`).toBe(true);
  });

  test('of joined emoji keeps every emoji', () => {
    const count = Math.floor(LENGTH / 8);
    const found = decode(tokenizer.pieces('👩\u200d👧\u200d👦'.repeat(count))).replace(/[^👩👧👦]/gu, '');
    expect(found === '👩👧👦'.repeat(count)).toBe(true);
  });

  test('of spaces has no tokens', () => {
    expect(tokenizer.encode(' '.repeat(LENGTH))).toEqual([0, 2]);
  });

  test('of special tokens has one id per special token', () => {
    expect(tokenizer.pieces('</s>'.repeat(LENGTH / 4))).toEqual(new Array(LENGTH / 4).fill(2));
  });
});

test('with equally likely splits takes the split whose last token starts first', () => {
  const tiny = tinyTokenizer();
  const id = tiny.model.vocab.push(['▁x', -5], ['qw', -5], ['▁xq', -5], ['w', -5]) - 4;
  expect(new Tokenizer(compileTokenizer(tiny)).pieces('xqw')).toEqual([id, id + 1]);
});

describe('special tokens', () => {
  test('keep their ids, and <mask> includes the space before it', () => {
    expect(tokenizer.pieces('a<s>b')).toEqual([...tokenizer.pieces('a'), 0, ...tokenizer.pieces('b')]);
    expect(tokenizer.pieces('a <mask> b')).toEqual([
      ...tokenizer.pieces('a'),
      250_001,
      ...tokenizer.pieces('b'),
    ]);
  });

  test('are matched in full if one is a prefix of another', () => {
    const tiny = tinyTokenizer();
    tiny.added_tokens.push(
      { id: 401, content: '<x>', lstrip: false },
      { id: 402, content: '<x><y>', lstrip: false },
    );
    expect(new Tokenizer(compileTokenizer(tiny)).pieces('<x><y><x>')).toEqual([402, 401]);
  });
});
