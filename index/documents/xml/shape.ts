import type { Input } from '../input.ts';
import { xmlEvents } from './events.ts';

/** What an XML file is: a list of records, which are the elements at a path, or a text. */
export type Shape = { kind: 'records'; path: string; of?: 'feed' | 'wiki' } | { kind: 'text' };

/** Elements that tell the shape of a file. */
const ENOUGH = 20_000;
/** Records are at most this deep below the root. */
const RECORD_DEPTH = 3;
/** The share of elements with text beside elements, from which a file is a text. */
const MIXED = 0.02;

/** The share of elements that are records or in them. */
const LEAST_SHARE = 0.5;

/** Roots of texts, in DocBook, DITA, TEI, JATS. */
const TEXTS = new Set(
  'book article chapter part set section sect1 appendix preface refentry glossary page TEI TEI.2 teiCorpus topic concept task reference html'.split(
    ' ',
  ),
);
/** The records of known roots. */
const RECORDS: Record<string, string> = {
  rss: 'rss/channel/item',
  feed: 'feed/entry',
  RDF: 'RDF/item',
  mediawiki: 'mediawiki/page',
};

/** Finds what a file is by its first elements: records are the most frequent element near the root that repeats, has
 * parts, and contains most elements. */
export async function shapeOf(input: Input): Promise<Shape> {
  const counts = new Map<string, number>();
  const withParts = new Set<string>();
  /** How many elements are at a path or in those there. */
  const inside = new Map<string, number>();
  const open: { name: string; hasText: boolean; hasElement: boolean }[] = [];
  let elements = 0;
  let mixed = 0;
  for await (const event of xmlEvents(input, () => {})) {
    const parent = open.at(-1);
    if (event.kind === 'text') {
      if (parent && event.text.trim() !== '') parent.hasText = true;
    } else if (event.kind === 'open') {
      if (!parent) {
        if (TEXTS.has(event.name)) return { kind: 'text' };
        const path = RECORDS[event.name];
        if (path !== undefined)
          return { kind: 'records', path, of: event.name === 'mediawiki' ? 'wiki' : 'feed' };
      } else parent.hasElement = true;
      const parentPath = open.map(({ name }) => name).join('/');
      if (open.length <= RECORD_DEPTH + 1) withParts.add(parentPath);
      open.push({ name: event.name, hasText: false, hasElement: false });
      if (event.attributes.size > 1 && open.length <= RECORD_DEPTH + 1)
        withParts.add(`${parentPath}/${event.name}`);
      if (open.length > 1 && open.length <= RECORD_DEPTH + 1) {
        const path = `${parentPath}/${event.name}`;
        counts.set(path, (counts.get(path) ?? 0) + 1);
      }
      for (let depth = 2; depth <= Math.min(open.length, RECORD_DEPTH + 1); depth++) {
        const path = open
          .slice(0, depth)
          .map(({ name }) => name)
          .join('/');
        inside.set(path, (inside.get(path) ?? 0) + 1);
      }
      if (++elements >= ENOUGH) break;
    } else {
      const closed = open.pop();
      if (closed?.hasText && closed.hasElement) mixed++;
    }
  }
  const [path, count] = [...counts]
    .filter(([path]) => withParts.has(path) && inside.get(path)! >= elements * LEAST_SHARE)
    .sort((a, b) => b[1] - a[1] || a[0].length - b[0].length)[0] ?? ['', 0];
  return count >= 2 && mixed <= elements * MIXED ? { kind: 'records', path } : { kind: 'text' };
}
