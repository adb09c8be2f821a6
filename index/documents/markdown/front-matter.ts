import type { MetadataValue } from '../../format/passage.ts';

/** The front matter of a Markdown file, and the Markdown after it. */
export interface FrontMatter {
  title?: string;
  url?: string;
  lang?: string;
  metadata?: Record<string, MetadataValue>;
  body: string;
}

const FENCED = /^---[ \t]*\n(?:([\s\S]*?)\n)??(?:---|\.\.\.)[ \t]*(?:\n|$)/;
/** `key: value`, a comment, a list item, a nested or blank line. */
const YAML_LINE = /^(?:[\w.-]+[ \t]*:(?:[ \t].*)?|#.*|-.*|[ \t].*|)$/;

/**
 * Splits YAML front matter from a Markdown text with `\n` line ends. Reads plain and quoted scalars on the line of their key, and
 * skips lists, maps and block scalars. Without front matter, the body is the whole text.
 */
export function splitFrontMatter(text: string): FrontMatter {
  const match = text.match(FENCED);
  const lines = match?.[1]?.split('\n') ?? [];
  if (!match || !lines.every((line) => YAML_LINE.test(line))) return { body: text };
  const own = new Map<string, string>();
  const metadata = new Map<string, MetadataValue>();
  lines.forEach((line, i) => {
    const [, key, value] = line.match(/^([\w.-]+)[ \t]*:[ \t]+(.*)$/) ?? [];
    const continues = /^[ \t]+[^ \t#]/.test(lines[i + 1] ?? '');
    if (key === undefined || value === undefined || continues) return;
    const scalar = readScalar(value.trim());
    if (scalar === undefined || scalar.text === '') return;
    if (['title', 'url', 'lang'].includes(key)) own.set(key, scalar.text);
    else metadata.set(key, scalar.quoted ? scalar.text : typed(scalar.text));
  });
  return {
    title: own.get('title'),
    url: own.get('url'),
    lang: own.get('lang'),
    metadata: metadata.size === 0 ? undefined : Object.fromEntries(metadata),
    body: text.slice(match[0].length),
  };
}

function readScalar(value: string): { text: string; quoted: boolean } | undefined {
  const double = value.match(/^("(?:[^"\\]|\\["\\/bfnrt]|\\u[\da-f]{4})*")\s*(?:#.*)?$/i)?.[1];
  if (double !== undefined) return { text: String(JSON.parse(double.replaceAll('\t', '\\t'))), quoted: true };
  const single = value.match(/^'((?:[^']|'')*)'\s*(?:#.*)?$/)?.[1];
  if (single !== undefined) return { text: single.replaceAll("''", "'"), quoted: true };
  if (/^(?:["'[\]{}&*!|>%@`]|[-?:](?:\s|$))/.test(value)) return undefined;
  const text = value.replace(/(?:^|\s)#.*$/, '').trim();
  return { text: /^(?:~|null)$/i.test(text) ? '' : text, quoted: false };
}

function typed(text: string): MetadataValue {
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return /^[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[-+]?\d+)?$/i.test(text) && Number.isFinite(Number(text))
    ? Number(text)
    : text;
}
