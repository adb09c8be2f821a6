import { describe, expect, it } from 'vitest';
import { readBytes } from '../../fixtures/read.ts';

const read = async (text: string, name = 'a.srt') =>
  (await readBytes(name, text)).documents[0]?.blocks.map(({ text, anchor }) => `${anchor} ${text}`);

const cue = (i: number, start: number, text: string) =>
  `${i}\n00:${String(Math.floor(start / 60)).padStart(2, '0')}:${String(start % 60).padStart(2, '0')},000 --> 00:${String(Math.floor((start + 2) / 60)).padStart(2, '0')}:${String((start + 2) % 60).padStart(2, '0')},000\n${text}\n`;

describe('subtitles', () => {
  it('joins cues, drops markup, and has times as anchors', async () => {
    const text = [
      cue(1, 1, '<i>It rained</i>\non the {\\an8}quay.'),
      cue(2, 3, '<font color="#fff">All & more</font> &amp; 5 < 6'),
      cue(3, 65, '- After a pause.'),
      cue(4, 67, '42'),
    ].join('\n');
    expect(await read(text)).toEqual([
      't=1 It rained on the quay. All & more & 5 < 6',
      't=65 - After a pause. 42',
    ]);
  });

  it('reads WebVTT with its language, notes, styles and speakers', async () => {
    const text =
      'WEBVTT - x\nKind: captions\nLanguage: pt-BR\n\nNOTE\na note\n\nSTYLE\n::cue { color: red }\n\nintro\n00:01.500 --> 00:02.000 align:start\n<v Ana>Bom <c.yellow>dia</c>.</v>\n\n00:02.000 --> 01:00:03.000\n<v Ana>Tudo bem?\n\n01:00:03.000 --> 01:00:04.000\n<v.loud Rui>Sim.\n';
    const { documents } = await readBytes('a.vtt', text);
    expect(documents).toEqual([
      {
        source: 'a.vtt',
        lang: 'pt-BR',
        blocks: [
          { kind: 'paragraph', text: 'Ana: Bom dia. Tudo bem?', anchor: 't=1' },
          { kind: 'paragraph', text: 'Rui: Sim.', anchor: 't=3603' },
        ],
      },
    ]);
  });

  it('keeps lines that roll over from cue to cue once', async () => {
    const text = [
      cue(1, 1, 'a b'),
      cue(2, 3, 'a b\nc<00:00:03.500><c> d</c>'),
      cue(3, 5, 'c d'),
      cue(4, 7, 'c d\ne'),
    ].join('\n');
    expect(await read(text)).toEqual(['t=1 a b c d e']);
  });

  it('ends long paragraphs at the end of a sentence', async () => {
    const text = Array.from({ length: 60 }, (_, i) =>
      cue(i, 2 * i, i % 3 === 2 ? 'the end of it.' : 'Some ten words'),
    ).join('\n');
    const blocks = (await read(text)) ?? [];
    expect(blocks.length).toBeGreaterThan(1);
    for (const block of blocks) expect(block.length).toBeLessThan(500);
    expect(blocks.every((block) => block.endsWith('it.'))).toBe(true);
  });

  it('joins lines of scripts without spaces', async () => {
    expect(await read([cue(1, 1, '港に\n雨が'), cue(2, 3, '降った。')].join('\n'))).toEqual([
      't=1 港に雨が降った。',
    ]);
  });

  it.each([
    ['without numbers', '00:00:01,000 --> 00:00:02,000\na\n\n00:00:02,000 --> 00:00:03,000\nb', ['t=1 a b']],
    [
      'with a blank line in a cue',
      '1\n00:00:01,000 --> 00:00:02,000\na\n\nb\n\n2\n00:00:02,000 --> 00:00:03,000\nc',
      ['t=1 a b c'],
    ],
    ['with a damaged time', '1\n00:00:01,000 --> 00:00:02,000\na\n\n2\n00:00:0x,000 -> 00\nb', ['t=1 a']],
    [
      'without blank lines',
      '1\n00:00:01,000 --> 00:00:02,000\na\n2\n00:00:02,000 --> 00:00:03,000\nb\n',
      ['t=1 a b'],
    ],
    ['cut off', '1\n00:00:01,000 --> 00:00:02,000\na\n\n2\n00:00:02', ['t=1 a']],
  ])('reads files %s', async (_, text, expected) => {
    expect(await read(text)).toEqual(expected);
  });

  it.each(['', 'WEBVTT\n', 'Just text.\n', '1\n00:00:01,000 --> 00:00:02,000\n\n'])(
    'reports a file without text: %j',
    async (text) => {
      const { documents, notices } = await readBytes('a.vtt', text);
      expect(documents).toEqual([]);
      expect(notices).toMatchObject([{ kind: 'skipped', reason: 'no text' }]);
    },
  );

  it.each(['<', '{\\', '&', '00:00:01,000 --> 00:00:02,000\n', '<v a', ' '])(
    'is read with many %j',
    async (part) => {
      expect(await read(`${cue(1, 1, 'a')}\n${cue(2, 9, part.repeat(50_000))}`)).toContain('t=1 a');
    },
  );
});
