import { contentIds } from '../content-id.ts';
import { type Block, type Document, languageTag, type MetadataValue } from '../document.ts';
import { Unreadable } from '../file.ts';
import type { Input } from '../input.ts';
import { likelyTitle, missingNames, type Roles, rolesOf } from './roles.ts';
import { BadRecord, type Fields, type Row, textOf } from './values.ts';

/** Notices of records of a file. More are counted in one. */
const MAX_NOTICES = 100;
/** Fields of a record that are kept as metadata. */
const MAX_METADATA = 1000;
/** Sets of names of which the roles are remembered. */
const MAX_SHAPES = 1000;

export interface RecordOptions {
  /** The names of all columns, if all records have the same. */
  columns?: string[];
  /** Records may name another source than the file in `source`. */
  ownSource?: boolean;
  /** Whether the names of the fields are only their numbers. */
  unnamed?: boolean;
  /** Whether the file is one record. Without a field of text, it has no title and no metadata. */
  isOnly?: boolean;
}

/**
 * Makes a document of each record. `input.options.fields` names the fields that are its id, title, text, URL and language; without it,
 * fields with usual names are. Other fields are metadata. Empty ones count as missing. A record without a field of text becomes lines `name: value` of all fields.
 * A record without an id gets one derived from the file and the text. Reports bad records, and skips those without text.
 * @throws Unreadable if `input.options.fields` names a field that no record has
 */
export async function* readRecords(
  input: Input,
  rows: AsyncIterable<Row | BadRecord>,
  options: RecordOptions = {},
): AsyncGenerator<Document> {
  const { columns } = options;
  const named = input.options.fields ?? {};
  if (columns) checkNames(input, missingNames(named, columns), columns);
  const idOf = contentIds(input.source);
  const report = new Report(input);
  const seen = new Set<string>();
  const shapes = new Map<string, Roles>();
  for await (const row of rows) {
    if (row instanceof BadRecord) {
      report.add('failed', row.place, row.reason, row.fix);
      continue;
    }
    const names = [...row.fields.keys()];
    if (seen.size < MAX_SHAPES) for (const name of names) seen.add(name);
    const shape = names.join('\n');
    let roles = shapes.get(shape);
    if (!roles) {
      if (shapes.size === MAX_SHAPES) shapes.clear();
      roles = rolesOf(columns ?? names, named);
      shapes.set(shape, roles);
    }
    const document = toDocument(row.fields, roles, options);
    if (document.blocks.length === 0) {
      report.add('skipped', row.place, 'no text', 'Fill in its text, or remove it.');
      continue;
    }
    const text = document.blocks.map((block) => block.text).join('\n\n');
    yield { ...document, source: document.source ?? input.source, id: document.id ?? idOf(text) };
  }
  report.end();
  if (!columns && seen.size > 0) checkNames(input, missingNames(named, seen), [...seen]);
}

function checkNames(input: Input, missing: string[], existing: string[]): void {
  if (missing.length === 0) return;
  const shown = existing
    .slice(0, 20)
    .map((name) => `"${name}"`)
    .join(', ');
  throw input.failure(
    'no such field',
    `\`fields\` names ${missing.map((name) => `"${name}"`).join(', ')}, but the file has ${shown}${existing.length > 20 ? ', …' : ''}. Correct the names.`,
  );
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
  const titleName =
    roles.title ??
    (texts.length === 0 && !unnamed && !isOnly ? likelyTitle(without(fields, own)) : undefined);
  const title = value(titleName);
  return {
    source,
    id: value(roles.id),
    title,
    url: value(roles.url),
    lang,
    metadata: isOnly && texts.length === 0 ? undefined : metadataOf(without(fields, own)),
    blocks:
      texts.length > 0
        ? texts.flatMap(paragraphs)
        : describe(fields, new Set([...own, titleName]), unnamed, title),
  };
}

/** A record without a field of text: its title, and a line for each field. */
function describe(
  fields: Fields,
  own: ReadonlySet<string | undefined>,
  unnamed: boolean | undefined,
  title: string | undefined,
): Block[] {
  const lines = [...without(fields, own)]
    .map(([name, value]) => [name, textOf(value)] as const)
    .filter(([, text]) => text !== '')
    .map(([name, text]) => (unnamed ? text : `${name}: ${text}`));
  const text = lines.join('\n') || title;
  return text ? [{ kind: 'paragraph', text }] : [];
}

function without(fields: Fields, names: ReadonlySet<string | undefined>): Fields {
  return new Map([...fields].filter(([name]) => !names.has(name)));
}

/** A record's text is not laid out for a page: paragraphs end at blank lines, and keep their lines. */
function paragraphs(text: string): Block[] {
  return text
    .replace(/\r\n?/g, '\n')
    .split(/\n[^\S\n]*\n\s*/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '')
    .map((text) => ({ kind: 'paragraph', text }));
}

function metadataOf(fields: Fields): Record<string, MetadataValue> | undefined {
  const entries = [...fields].filter(([, value]) => value !== '').slice(0, MAX_METADATA);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Reports the first problems of a file one by one, and the number of others. */
class Report {
  readonly #input: Input;
  readonly #counts = new Map<string, number>();

  constructor(input: Input) {
    this.#input = input;
  }

  add(kind: 'failed' | 'skipped', place: string, reason: string, fix: string): void {
    const key = `${kind} ${reason}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count <= MAX_NOTICES) this.#input.report({ kind, place, reason, fix });
  }

  end(): void {
    for (const [key, count] of this.#counts) {
      if (count <= MAX_NOTICES) continue;
      const [kind, ...reason] = key.split(' ');
      this.#input.report({
        kind: kind as 'failed' | 'skipped',
        place: this.#input.path,
        reason: reason.join(' '),
        fix: `${count - MAX_NOTICES} more records have this problem.`,
      });
    }
  }
}

/** Reads records, and fails if there are none. */
export async function* readSomeRecords(
  input: Input,
  rows: AsyncIterable<Row | BadRecord>,
  options?: RecordOptions,
): AsyncGenerator<Document> {
  let any = false;
  async function* counted() {
    for await (const row of rows) {
      any = true;
      yield row;
    }
  }
  yield* readRecords(input, counted(), options);
  if (!any) throw new Unreadable(input.path, 'no text', 'Remove it, or fill it in.');
}
