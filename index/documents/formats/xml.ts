import type { Document } from '../document.ts';
import type { Input, Reader } from '../input.ts';
import { readRecords } from '../records/records.ts';
import { readEntry } from '../xml/feed.ts';
import { xmlRecords } from '../xml/records.ts';
import { shapeOf } from '../xml/shape.ts';
import { readXmlText } from '../xml/text.ts';
import { readPage } from '../xml/wikitext.ts';

/** A document from each entry of a feed, page of a wiki, or record of a list; else one. */
export const read: Reader = async function* (input) {
  let error: string | undefined;
  const onError = (message: string) => {
    error = message;
  };
  let any = false;
  for await (const document of documents(input, onError)) {
    any ||= document.blocks.length > 0;
    yield document;
  }
  if (error !== undefined) throw input.failure('not valid XML', `Correct it (${error}).`);
  if (!any) throw input.failure('no text', 'Remove it, or fill it in.');
};

async function* documents(input: Input, onError: (message: string) => void): AsyncGenerator<Document> {
  const shape = await shapeOf(input);
  if (shape.kind === 'text') {
    const document = await readXmlText(input, onError);
    if (document.blocks.length > 0) yield document;
  } else if (shape.of && !input.options.fields) {
    let number = 0;
    for await (const { fields } of xmlRecords(input, shape.path, onError)) {
      const document =
        shape.of === 'wiki' ? readPage(input, fields) : await readEntry(input, fields, ++number);
      if (document) yield document;
    }
  } else yield* readRecords(input, xmlRecords(input, shape.path, onError));
}
