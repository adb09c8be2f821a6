import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileModel, DEFAULT_MODEL } from '../../index/compile/compile.ts';
import { decode, decodeStream } from '../../index/documents/encoding.ts';
import { Tokenizer } from '../../index/embedding/tokenizer.ts';
import { detectLanguage } from '../../index/ingest/passages/detect-language.ts';
import { sentences } from '../../index/ingest/passages/sentences.ts';
import { termsOf } from '../../index/text/terms.ts';
import { expectClear, type Target } from './target.ts';

let opened: Tokenizer | undefined;

/** The tokenizer of the default model. */
function tokenizer(): Tokenizer {
  opened ??= new Tokenizer(readFileSync(join(compileModel(DEFAULT_MODEL), 'tokenizer.bin')));
  return opened;
}

function expect(isTrue: boolean, problem: string): void {
  if (!isTrue) throw new Error(problem);
}

/** Ranges in a text must be in order, without overlap. */
function expectOrdered(ranges: readonly (readonly [number, number])[], length: number): void {
  let last = 0;
  for (const [start, end] of ranges) {
    expect(
      start >= last && end >= start && end <= length,
      `The range ${start} to ${end} of ${length} is out of order.`,
    );
    last = start;
  }
}

/** Everything that reads any text. UTF-16, because texts may contain lone surrogates. */
export const textTargets: Record<string, Target> = {
  'tokenizer-text': (input) => {
    const text = input.toString(input.length % 2 === 0 ? 'utf16le' : 'utf8');
    const ids = tokenizer().encode(text);
    const places = tokenizer().places(text);
    expect(
      ids.every((id) => Number.isInteger(id) && id >= 0),
      'An id is not a number.',
    );
    expect(places.length === ids.length - 2, `${ids.length - 2} pieces have ${places.length} places.`);
    expectOrdered(places, text.length);
  },
  words: (input) => {
    const text = input.toString(input.length % 2 === 0 ? 'utf16le' : 'utf8');
    expect(
      termsOf(text).every((term) => term !== ''),
      'A term is empty.',
    );
    const lang = detectLanguage(text)?.lang ?? 'und';
    for (const tag of [lang, 'th', 'de']) expectOrdered(sentences(text, tag), text.length);
  },
  encoding: async (input) => {
    const origin = { path: 'file.txt', report: () => {} };
    // What a page or a header declares.
    const [label = '', ...rest] = input.toString('latin1').split('\n');
    const bytes = Buffer.from(rest.join('\n'), 'latin1');
    await expectClear('file.txt', async () => {
      const whole = await decode(bytes, origin, () => label);
      let text = '';
      for await (const part of decodeStream(pieces(bytes), origin, () => label)) text += part;
      expect(text === whole, 'Pieces of a file give another text than the file.');
    });
  },
};

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3);
}
