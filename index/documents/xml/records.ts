import type { MetadataValue } from '../document.ts';
import type { Input } from '../input.ts';
import type { Row } from '../records/values.ts';
import { localName, xmlEvents } from './events.ts';

/** Characters of a record. */
const MAX_RECORD = 32 * 2 ** 20;

/**
 * The elements at a path as records. A field is an element with text, or an attribute: `author.name`, `link.href`. Fields that repeat
 * are lists.
 * @param onError called with the first error in the XML
 */
export async function* xmlRecords(
  input: Input,
  path: string,
  onError: (message: string) => void,
): AsyncGenerator<Row> {
  const open: string[] = [];
  let record: { depth: number; fields: Map<string, string[]>; texts: string[]; length: number } | undefined;
  let number = 0;
  for await (const event of xmlEvents(input, onError)) {
    if (event.kind === 'open') {
      open.push(event.name);
      if (!record && open.join('/') === path)
        record = { depth: open.length, fields: new Map(), texts: [], length: 0 };
      if (!record) continue;
      record.texts.push('');
      const name = open.slice(record.depth).join('.');
      for (const [attribute, value] of event.attributes)
        if (!attribute.startsWith('xmlns')) add(record.fields, joined(name, localName(attribute)), value);
    } else if (event.kind === 'text') {
      if (!record) continue;
      record.length += event.text.length;
      if (record.length <= MAX_RECORD) record.texts[record.texts.length - 1] += event.text;
    } else {
      if (record) {
        const text = record.texts.pop()?.trim() ?? '';
        const name = open.slice(record.depth).join('.');
        if (text !== '') add(record.fields, name || 'text', text);
        if (open.length === record.depth) {
          yield { place: `${input.path}: ${event.name} ${++number}`, fields: scalars(record.fields) };
          record = undefined;
        }
      }
      open.pop();
    }
  }
}

function joined(name: string, attribute: string): string {
  return name === '' ? attribute : `${name}.${attribute}`;
}

function add(fields: Map<string, string[]>, name: string, value: string): void {
  const values = fields.get(name);
  if (values) values.push(value);
  else fields.set(name, [value]);
}

function scalars(fields: ReadonlyMap<string, string[]>): Map<string, MetadataValue> {
  return new Map([...fields].map(([name, values]) => [name, values.length === 1 ? values[0]! : values]));
}
