import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Document } from '../../../index/documents/document.ts';
import { readTextParts, textParts } from '../../../index/documents/plain/text.ts';
import { outline, readBytes } from '../../fixtures/read.ts';

async function* stream(...chunks: string[]) {
  yield* chunks;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const prose = 'The council agreed on Monday that the harbour should be built.';

describe('parts of a text', () => {
  it('are cut at a blank line, else at the end of a line, else at a space, else between characters', async () => {
    const parts = (text: string) => collect(textParts(stream(text), 10));
    expect(await parts('a b\nc\n\nd e f\ng h\n\ni j k')).toEqual(['a b\nc\n\n', 'd e f\ng h\n', '\ni j k']);
    expect(await parts('aaa bbb ccc ddd eee fff')).toEqual(['aaa bbb ', 'ccc ddd ', 'eee fff']);
    expect(await parts('𝒳'.repeat(12))).toEqual(['𝒳'.repeat(5), '𝒳'.repeat(5), '𝒳'.repeat(2)]);
  });

  it('are the whole text, and bounded, however the text arrives', async () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.constantFrom('\n', '\n\n', '\r', '\r\n', ' ', '\f'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 60 }),
        fc.integer({ min: 2, max: 40 }),
        async (chunks, size) => {
          const parts = await collect(textParts(stream(...chunks), size));
          expect(parts.join('')).toBe(chunks.join('').replace(/\r\n?/g, '\n'));
          for (const part of parts) expect(part.length).toBeLessThanOrEqual(2 * size);
        },
      ),
    );
  });
});

describe('a long text', () => {
  it('is read in parts with the title of the first', async () => {
    const text = `A new harbour\n\n${prose}\n\n${prose}\n\nThe ferry\n\n${prose}\n\n${prose}`;
    const documents = await collect(readTextParts(stream(text), 'a.txt', false, 150));
    expect(documents.map(({ source, part, title }) => [source, part, title])).toEqual([
      ['a.txt', 0, 'A new harbour'],
      ['a.txt', 1, 'A new harbour'],
    ]);
    expect(outline(documents)).toBe(`# A new harbour\n${prose}\n${prose}\n## The ferry\n${prose}\n${prose}`);
  });

  it('is one document if it has one part', async () => {
    const documents = await collect(readTextParts(stream('A new harbour\n\n', prose), 'a.txt', false));
    expect(documents.map(({ part }) => part)).toEqual([undefined]);
  });

  it('of 3 MB is read in parts of about 1 MB, whatever its lines', async () => {
    const lines = [`${prose}\n\n`, `${prose}\n`, `${prose} `, `${prose.replaceAll(' ', '')}`];
    for (const line of lines) {
      const { documents } = await readBytes('a.txt', line.repeat(Math.ceil((3.5 * 2 ** 20) / line.length)));
      expect(documents.map(({ part }) => part)).toEqual([0, 1, 2, 3]);
      const lengths = documents.map(({ blocks }: Document) =>
        blocks.reduce((sum, { text }) => sum + text.length, 0),
      );
      expect(Math.max(...lengths)).toBeLessThan(2 ** 21);
    }
  });

  it('without text is reported', async () => {
    for (const text of ['', ' \n\n \f']) {
      const { documents, notices } = await readBytes('a.txt', text);
      expect(documents).toEqual([]);
      expect(notices.map(({ reason }) => reason)).toEqual(['no text']);
    }
  });
});

describe('plain', () => {
  it('keeps lines, and finds no headings', async () => {
    const text = `HARBOUR\n=======\n\n  ${prose} It is to be-\n  gin  in spring.  \n \n- nets\r\n- rope\fIV`;
    const { documents } = await readBytes('a.txt', text, { plain: true });
    expect(documents).toMatchObject([{ source: 'a.txt' }]);
    expect(documents[0]!.title).toBeUndefined();
    expect(documents[0]!.blocks).toEqual(
      ['HARBOUR\n=======', `${prose} It is to be-\n  gin  in spring.`, '- nets\n- rope', 'IV'].map(
        (text) => ({
          kind: 'paragraph',
          text,
        }),
      ),
    );
  });
});
