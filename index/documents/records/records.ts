import { contentIds } from '../content-id.ts';
import { ACCESS, type Block, type Document, languageTag, type MetadataValue } from '../document.ts';
import { type Notice, Unreadable } from '../file.ts';
import type { Input } from '../input.ts';
import { likelyTitle, missingNames, type Roles, rolesOf } from './roles.ts';
import { type Fields, type Row, textOf } from './values.ts';

/** Notices of records of a file. More are counted in one. */
const MAX_NOTICES = 100;
/** Fields of a record that are kept as metadata. */
const MAX_METADATA = 1000;
/** Sets of names of which the roles are remembered. */
const MAX_SHAPES = 1000;

interface RecordOptions {
  /** The names of all columns, if all records have the same. */
  columns?: string[];
  /** Records may name another source than the file in `source`. */
  ownSource?: boolean;
  /** Whether the names of the fields are only their numbers. */
  unnamed?: boolean;
  /** Whether the file is one record. Without a field of text, it has no title and no metadata. */
  isOnly?: boolean;
  /** Whether a file without records is an error. */
  mustHaveSome?: boolean;
}

/**
 * Makes a document of each record. `input.options.fields` names the fields that are its id, title, text, URL and language; without it,
 * fields with usual names are. Other fields are metadata. Empty ones count as missing. A record without a field of text becomes lines `name: value` of all fields.
 * A record without an id gets one derived from the file and the text. Reports bad records, and skips those without text.
 * @throws Unreadable if `input.options.fields` names a field that no record has
 */
export async function* readRecords(
  input: Input,
  rows: AsyncIterable<Row | Unreadable>,
  options: RecordOptions = {},
): AsyncGenerator<Document> {
  const { columns } = options;
  const named = input.options.fields ?? {};
  if (columns) checkNames(input, columns);
  const idOf = contentIds(input.source);
  const problems = problemCounter(input);
  const seen = new Set<string>();
  const shapes = new Map<string, Roles>();
  let any = false;
  for await (const row of rows) {
    any = true;
    if (row instanceof Unreadable) {
      problems.add(row.notice);
      continue;
    }
    const names = [...row.fields.keys()];
    if (seen.size < MAX_SHAPES) for (const name of names) seen.add(name);
    const shape = names.join('\n');
    if (shapes.size === MAX_SHAPES) shapes.clear();
    const roles = shapes.get(shape) ?? rolesOf(columns ?? names, named);
    shapes.set(shape, roles);
    const document = toDocument(row.fields, roles, options);
    if (document.blocks.length === 0) {
      const fix = 'Fill in its text, or remove it.';
      problems.add({ kind: 'skipped', place: row.place, reason: 'no text', fix });
      continue;
    }
    const text = document.blocks.map((block) => block.text).join('\n\n');
    yield { ...document, source: document.source ?? input.source, id: document.id ?? idOf(text) };
  }
  problems.end();
  if (!any && options.mustHaveSome) throw input.failure('no text', 'Remove it, or fill it in.');
  if (!columns && seen.size > 0) checkNames(input, [...seen]);
}

function checkNames(input: Input, existing: string[]): void {
  const missing = missingNames(input.options.fields ?? {}, existing);
  if (missing.length === 0) return;
  const quoted = (names: string[]) => names.map((name) => `"${name}"`).join(', ');
  const shown = quoted(existing.slice(0, 20)) + (existing.length > 20 ? ', …' : '');
  const fix = `\`fields\` names ${quoted(missing)}, but the file has ${shown}. Correct the names.`;
  throw input.failure('no such field', fix);
}

type Draft = Omit<Document, 'source'> & { source?: string };

function toDocument(fields: Fields, roles: Roles, { unnamed, ownSource, isOnly }: RecordOptions): Draft {
  const value = (name: string | undefined) =>
    name === undefined ? undefined : textOf(fields.get(name) ?? '') || undefined;
  const lang = languageTag(value(roles.lang));
  const own = new Set([roles.id, roles.title, roles.url, lang && roles.lang, ...roles.text]);
  const source = ownSource ? value('source') : undefined;
  if (source !== undefined) own.add('source');
  const texts = roles.text.map(value).filter((text) => text !== undefined);
  const others = without(fields, own);
  const titleName = roles.title ?? (texts.length > 0 || unnamed || isOnly ? undefined : likelyTitle(others));
  const title = value(titleName);
  return {
    source,
    id: value(roles.id),
    title,
    url: value(roles.url),
    lang,
    metadata: metadataOf(others, isOnly && texts.length === 0 ? 0 : MAX_METADATA),
    blocks:
      texts.length > 0
        ? texts.flatMap(paragraphs)
        : describe(without(others, new Set([titleName])), unnamed, title),
  };
}

/** A record without a field of text: a line for each field, else its title. */
function describe(fields: Fields, unnamed: boolean | undefined, title: string | undefined): Block[] {
  const lines = [...fields].flatMap(([name, value]) => {
    const text = textOf(value);
    return text === '' ? [] : [unnamed ? text : `${name}: ${text}`];
  });
  const text = lines.join('\n') || title;
  return text ? [{ kind: 'paragraph', text }] : [];
}

function without(fields: Fields, names: ReadonlySet<string | undefined>): Fields {
  return new Map([...fields].filter(([name]) => !names.has(name)));
}

/** A record's text is not laid out for a page: paragraphs end at blank lines, and keep their lines. */
export function paragraphs(text: string): Block[] {
  return text
    .replace(/\r\n?/g, '\n')
    .split(/\n[^\S\n]*\n\s*/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '')
    .map((text) => ({ kind: 'paragraph', text }));
}

/** The first fields that are not empty. Those after `most` are left out, but never what restricts the record. */
function metadataOf(fields: Fields, most: number): Record<string, MetadataValue> | undefined {
  const filled = [...fields].filter(([, value]) => value !== '');
  const entries = filled.filter(([name], i) => i < most || name === ACCESS);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Reports the first problems of each kind one by one, and at the end the number of others. */
function problemCounter({ path, report }: Input) {
  const counts = new Map<string, { notice: Notice; count: number }>();
  return {
    add(notice: Notice): void {
      const count = (counts.get(notice.reason)?.count ?? 0) + 1;
      counts.set(notice.reason, { notice, count });
      if (count <= MAX_NOTICES) report(notice);
    },
    end(): void {
      for (const { notice, count } of counts.values()) {
        const fix = `${count - MAX_NOTICES} more records have this problem.`;
        if (count > MAX_NOTICES) report({ ...notice, place: path, fix });
      }
    },
  };
}
