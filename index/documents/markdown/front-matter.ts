import { isMap, isScalar, isSeq, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import { ACCESS, languageTag, type MetadataValue } from '../document.ts';

/** The front matter of a text, and the text after it. */
interface FrontMatter {
  title?: string;
  url?: string;
  lang?: string;
  metadata?: Record<string, MetadataValue>;
  body: string;
}

const FENCED = /^---[ \t]*\n(?:([\s\S]*?)\n)??(?:---|\.\.\.)[ \t]*(?:\n|$)/;
/** Front matter in TOML, as Hugo and Zola read it. */
const TOML = /^\+\+\+[ \t]*\n(?:([\s\S]*?)\n)??\+\+\+[ \t]*(?:\n|$)/;
/** `key: value`, a comment, a list item, a nested or blank line. */
const YAML_LINE = /^(?:[\w.-]+[ \t]*:(?:[ \t].*)?|#.*|-.*|[ \t].*|)$/;
const RESTRICTED = new RegExp(`^${ACCESS}[ \\t]*[:=]`, 'm');
const KEY_LINE = /^[\w.-]+[ \t]*:/;
/** Fields with more UTF-16 code units are skipped. The parser's time grows with the square of the nesting. */
const MAX_FIELD = 4_096;
/** Further fields are skipped. */
const MAX_FIELDS = 200;

/**
 * Splits front matter from a text with `\n` line ends. Reads scalars and lists of scalars, and skips maps. `title`, `url` (or an
 * absolute `permalink`) and `lang` (or `language`) belong to the document, other fields to its metadata. Empty values count as
 * absent. Of TOML, only the title is read. Without front matter, the body is the whole text. If `access` cannot be read, nobody has it:
 * the mistake must not publish the document.
 */
export function splitFrontMatter(text: string): FrontMatter {
  const toml = TOML.exec(text);
  if (toml)
    return {
      title: tomlTitle(toml[1] ?? ''),
      metadata: RESTRICTED.test(toml[1] ?? '') ? { [ACCESS]: [] } : undefined,
      body: text.slice(toml[0].length),
    };
  const match = FENCED.exec(text);
  const lines = match?.[1]?.split('\n') ?? [];
  const isRestricted = RESTRICTED.test(match?.[1] ?? '');
  if (!match || !lines.every((line) => YAML_LINE.test(line)))
    return isRestricted ? { metadata: { [ACCESS]: [] }, body: text } : { body: text };
  const own: Pick<FrontMatter, 'title' | 'url' | 'lang'> = {};
  const metadata = new Map<string, MetadataValue>();
  for (const [key, node] of fieldsOf(lines)) {
    const words = isScalar(node) ? scalarText(node) : '';
    const value = fieldValue(node);
    if (value === undefined) continue;
    const tag = key === 'lang' || key === 'language' ? languageTag(words) : undefined;
    if (key === 'title' && words) own.title = words;
    else if ((key === 'url' || (key === 'permalink' && /^https?:\/\//.test(words))) && words)
      own.url = key === 'url' ? words : (own.url ?? words);
    else if (tag !== undefined) own.lang = key === 'lang' ? tag : (own.lang ?? tag);
    else metadata.set(key, value);
  }
  if (isRestricted && !metadata.has(ACCESS)) metadata.set(ACCESS, []);
  return {
    ...own,
    metadata: metadata.size === 0 ? undefined : Object.fromEntries(metadata),
    body: text.slice(match[0].length),
  };
}

/** The fields. Each is parsed by itself, so that a mistake in one costs only that one. */
function* fieldsOf(lines: string[]): Generator<[key: string, value: unknown]> {
  const starts = lines.flatMap((line, i) => (KEY_LINE.test(line) ? [i] : [])).slice(0, MAX_FIELDS);
  for (const [i, start] of starts.entries()) {
    const field = lines.slice(start, starts[i + 1]).join('\n');
    if (field.length > MAX_FIELD) continue;
    const pair = parseField(field)?.items[0];
    if (pair && isScalar(pair.key)) yield [String(pair.key.value), pair.value];
  }
}

function parseField(field: string): YAMLMap | undefined {
  try {
    const { contents, errors } = parseDocument(field, { schema: 'failsafe', logLevel: 'silent' });
    return errors.length === 0 && isMap(contents) ? contents : undefined;
  } catch {
    // Nested too deep for the parser.
    return undefined;
  }
}

/** A scalar, or a list of scalars. Undefined for other values, and for empty ones. */
function fieldValue(node: unknown): MetadataValue | undefined {
  if (isSeq(node) && node.items.every((item) => isScalar(item))) {
    const texts = node.items.map((item) => scalarText(item)).filter((text) => text !== '');
    return texts.length === 0 ? undefined : texts;
  }
  if (!isScalar(node)) return undefined;
  const text = scalarText(node);
  return text === '' ? undefined : node.type === 'PLAIN' ? typed(text) : text;
}

/** A scalar's text. Nulls are empty. */
function scalarText(node: Scalar): string {
  const text = String(node.value ?? '').trim();
  return node.type === 'PLAIN' && /^(?:~|null)$/i.test(text) ? '' : text;
}

function typed(text: string): MetadataValue {
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  if (/^[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[-+]?\d+)?$/i.test(text) && Number.isFinite(Number(text)))
    return Number(text);
  return isoDate(text) ?? text;
}

/** A date of YAML 1.1 in ISO 8601: `2024-1-2 3:04:05 +1` is `2024-01-02T03:04:05+01:00`. */
function isoDate(text: string): string | undefined {
  const match =
    /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(\.\d+)?(?:[ \t]*(?:([Zz])|([-+])(\d\d?)(?::?(\d\d))?))?)?$/.exec(
      text,
    );
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', utc, sign, hours, minutes = '00'] = match;
  const date = `${year}-${month!.padStart(2, '0')}-${day!.padStart(2, '0')}`;
  if (hour === undefined) return date;
  const zone = utc ? 'Z' : sign ? `${sign}${hours!.padStart(2, '0')}:${minutes}` : '';
  return `${date}T${hour.padStart(2, '0')}:${minute}:${second}${fraction}${zone}`;
}

function tomlTitle(toml: string): string | undefined {
  const [, double, single] = /^title[ \t]*=[ \t]*(?:"([^"\\]*)"|'([^']*)')[ \t]*(?:#.*)?$/m.exec(toml) ?? [];
  return (double ?? single)?.trim() || undefined;
}
