import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { styleText } from 'node:util';
import type { Command } from 'commander';
import { Polyseek } from '../functions/web/client/client.ts';
import { openLocal } from '../index/ingest/open-local.ts';
import { readConfig } from '../index/ingest/sources/config.ts';
import type { Answer, Mode, SearchRequest, SearchResult } from '../index/search/answer.ts';
import { LIMITS } from '../index/search/limits.ts';
import { marksOf, splitAtMarks } from '../index/search/marks.ts';
import { print, Tool, UsageError, VERDICT_CODES } from './kit/command.ts';
import {
  addEndpoint,
  chosenUrl,
  type EndpointFlags,
  jsonOption,
  modeOption,
  numberOption,
  repeatable,
  searchedIndexOption,
  wrongValue,
} from './kit/flags.ts';
import { printable } from './kit/printable.ts';

interface Flags extends EndpointFlags {
  k: number;
  mode: Mode;
  lang?: string[];
  source?: string[];
  filter?: string[];
  minConfidence?: number;
  context: number;
  explain?: boolean;
  matches?: boolean;
  json?: boolean;
  index: string;
  group?: string[];
  function?: string;
  qualifier?: string;
}

export const command = addEndpoint(
  new Tool('search', 'Ask a question in any language: of an index, an endpoint or a Lambda function.')
    .argument('<question>', 'the question, in any language; - reads standard input')
    .option(
      '-k <n>',
      'number of results',
      numberOption('-k', LIMITS.k.min, LIMITS.k.max, 'a whole number'),
      3,
    )
    .addOption(modeOption())
    .option(
      '--lang <tag>',
      'search only passages in this language (repeatable)',
      list('--lang', /^[\w-]+$/, 'a language tag such as de or pt-BR (repeat the flag for several)'),
    )
    .option(
      '--source <path>',
      'search only this document, or this folder if it ends in / (repeatable)',
      list('--source', /./, 'the path of a document or folder'),
    )
    .option(
      '--filter <name=value>',
      'search only documents whose field has this value (repeatable)',
      list('--filter', /^[^=]+=/, 'NAME=VALUE, such as year=2026'),
    )
    .option(
      '--min-confidence <x>',
      'drop results below this confidence (0 to 1)',
      numberOption('--min-confidence', 0, 1, 'a number'),
    )
    .option(
      '--context <n>',
      'number of neighbouring passages to show on each side',
      numberOption('--context', LIMITS.context.min, LIMITS.context.max, 'a whole number'),
      LIMITS.context.default,
    )
    .option('--explain', 'show the confidence, score and ID of each passage, and what they are made of')
    .option('--matches', 'mark the words that match the question')
    .addOption(jsonOption()),
)
  .addOption(searchedIndexOption())
  .option(
    '--group <name>',
    'also search documents of the index restricted to this group (repeatable)',
    repeatable(String),
  )
  .option('--function <name>', 'ask this deployed function directly, bypassing the HTTP endpoint')
  .option('--qualifier <version>', 'with --function: version or alias (default: live)')
  .examples(
    'npx polyseek search "Can I leave my country?" -k 5',
    'npx polyseek search "Was kostet der Versand?" --lang de --source shop/ --filter year=2026',
    'npx polyseek search "Was kostet der Versand?" --url https://abcde12345.execute-api.eu-central-1.amazonaws.com',
    'echo "Do I have a right to paid holidays?" | npx polyseek search - --json',
  )
  .action(async (question: string, flags: Flags, command: Command) => {
    const { json, key, index, group: groups = [], function: functionName, qualifier } = flags;
    const url = chosenUrl(command, 'function', 'index', 'group');
    const request = await readQuestion(question, flags);
    let answer: Answer;
    if (functionName) {
      const { ask, describeReport } = await import('../functions/deployed/invoke.ts');
      const { target } = await import('./kit/deployed.ts');
      const asked = await ask(target({ function: functionName }), request, qualifier);
      answer = asked.answer;
      print(json, asked, () => `${readable(answer, { request })}\n\n${describeReport(asked.report)}`);
    } else {
      const search = (one: SearchRequest) =>
        url ? new Polyseek({ url, apiKey: key }).search(one) : searchIndex(index, groups, one);
      answer = await search(request);
      const { filter, ...unfiltered } = request;
      const closest =
        filter && answer.results.length === 0 && !json
          ? (await search({ ...unfiltered, k: LIMITS.k.max })).results
          : undefined;
      const roots = url ? undefined : sourceFolders();
      print(json, answer, () => readable(answer, { request, closest, roots }));
    }
    process.exitCode = VERDICT_CODES[answer.verdict];
  });

async function searchIndex(index: string, groups: string[], request: SearchRequest): Promise<Answer> {
  const search = await openLocal(index);
  try {
    return await (await search.for(groups)).search(request);
  } finally {
    search.close();
  }
}

/** Parses a repeatable option, each value of which matches `form`. */
function list(name: string, form: RegExp, expected: string) {
  return repeatable((text) => {
    if (form.test(text)) return text;
    throw wrongValue(name, text, expected);
  });
}

/** Builds the search request from a question and its flags. The question `-` is read from standard input. */
async function readQuestion(question: string, flags: Flags): Promise<SearchRequest> {
  const { k, mode, lang = [], source = [], filter = [], minConfidence, context } = flags;
  const { explain = false, matches = false } = flags;
  const q = (question === '-' ? await text(process.stdin) : question).trim();
  if (q === '') throw new UsageError('The question is empty. Pass one in quotes.');
  const fields = new Map<string, string[]>();
  for (const pair of [
    ...lang.map((tag) => `lang=${tag}`),
    ...source.map((path) => `source=${path}`),
    ...filter,
  ]) {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  return {
    q,
    k,
    mode,
    context,
    explain,
    matches,
    ...(minConfidence !== undefined && { minConfidence }),
    ...(fields.size > 0 && { filter: Object.fromEntries(fields) }),
  };
}

const CLOSE = 'These passages are close to your question.';
const NOTHING = 'Nothing here matches your question.';

interface Shown {
  request?: SearchRequest;
  /** Without results: those of the request without its filter. */
  closest?: readonly SearchResult[] | undefined;
  /** Folders that may contain the documents. Missing if the index is on no disk of this machine. */
  roots?: string[] | undefined;
  /** Width of the terminal. */
  columns?: number;
}

/** An answer as text, with colours on a terminal. The best passage is marked if it probably answers. */
export function readable(
  { verdict, results, took, index }: Answer,
  { request, closest, roots, columns = process.stdout.columns }: Shown = {},
): string {
  const nothing = results.length > 0 ? `${NOTHING} The closest passages:` : whyNothing(request, closest);
  const lines = { answered: [], possible: [dim(CLOSE)], none: [dim(nothing)] }[verdict];
  const end = dim(
    `${took.totalMs} ms (embedding ${took.embedMs}, search ${took.searchMs}) in ${index.passages} passages`,
  );
  const shown = results.map((result, i) =>
    readableResult(result, i, verdict === 'answered' && i === 0, { roots, columns }),
  );
  return [...lines, ...shown, end].join('\n\n');
}

/** A document's path, and the place in it. */
const placed = (source: string, anchor?: string) => (anchor ? `${source}#${anchor}` : source);

/** Most values of a field that are listed. */
const LISTED = 10;

/** Why an answer has no results. Without another limit, a filter is the reason. Names the values of the closest passages instead. */
function whyNothing(
  { filter, mode, minConfidence }: Partial<SearchRequest> = {},
  closest: readonly SearchResult[] = [],
): string {
  if (!filter || mode === 'lexical' || minConfidence !== undefined) return NOTHING;
  const values = Object.entries(filter).map(
    ([field, wanted]) =>
      `${field} ${[wanted]
        .flat()
        .map((one) => JSON.stringify(one))
        .join(' or ')}`,
  );
  const others = Object.keys(filter).flatMap((field) => {
    const found = closest.flatMap(
      ({ lang, source, metadata }) => ({ ...metadata, lang, source })[field] ?? [],
    );
    const listed = [...new Set(found)].slice(0, LISTED);
    return listed.length > 0 ? [` The closest passages have ${field} ${listed.join(', ')}.`] : [];
  });
  return printable(`No passage has ${values.join(' and ')}.${others.join('')}`);
}

/** The folders that the config file names as sources, to open files from a terminal. */
function sourceFolders(): string[] {
  if (!process.stdout.isTTY) return [];
  const { sources = [] } = readConfig();
  return sources.flatMap((source) =>
    typeof source === 'string' ? source : 'path' in source ? source.path : [],
  );
}

/** A path that opens its file, in terminals that know links. Others ignore them. */
function linked(path: string, source: string, roots: string[] = []): string {
  const file = roots.map((root) => join(root, source)).find((one) => existsSync(one));
  if (file === undefined) return path;
  return `\u001b]8;;${pathToFileURL(file).href}\u001b\\${path}\u001b]8;;\u001b\\`;
}

const WIDE = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}]/gu;

/** Breaks lines between words. The text keeps its length, so that offsets into it stay valid. */
function breakLines(text: string, columns?: number): string {
  // A terminal of unknown width has 0 columns.
  if (!columns) return text;
  let width = 0;
  return text.replace(/([ \n]*)([^ \n]+)/g, (all, gap: string, word: string) => {
    const added = word.replace(/\p{M}/gu, '').length + (word.match(WIDE)?.length ?? 0);
    if (gap.includes('\n')) width = 0;
    width += gap.length + added;
    if (width <= columns || !gap.endsWith(' ')) return all;
    width = added;
    return `${gap.slice(0, -1)}\n${word}`;
  });
}

function readableResult(result: SearchResult, i: number, isBest: boolean, { roots, columns }: Shown): string {
  const { id, title, source, url, anchor, lang, score, confidence, explain, evidence } = result;
  const { before = [], after = [], alsoIn = [], highlight } = result;
  const text = breakLines(printable(result.text), columns);
  const marks = marksOf(result.text, result.matches);
  const part = (from: number, to: number) =>
    splitAtMarks(text, from, to, marks)
      .map(({ part, isMarked }) => (isMarked ? styled('underline', part, '*', '*') : part))
      .join('');
  const { start, end } = highlight;
  const places = alsoIn.map((place) => place.url ?? place.source);
  const path = linked(printable(url ?? placed(source, anchor)), source, roots);
  return [
    `${i + 1}. ${styleText('bold', printable(title))}  ${dim(`${path} [${printable(lang)}]`)}` +
      (isBest ? `  ${styleText('green', 'Best match')}` : ''),
    ...before.map((one) => dim(breakLines(printable(one.text), columns))),
    part(0, start) + styled('bold', part(start, end), '»', '«') + part(end, text.length),
    ...after.map((one) => dim(breakLines(printable(one.text), columns))),
    ...(explain
      ? [
          dim(`Confidence ${confidence.toFixed(2)}: ${named(evidence).join(', ')}`),
          dim(`Score ${score.toFixed(3)} = ${named(explain).join(' + ')}`),
          dim(`ID ${printable(id)}`),
        ]
      : []),
    ...(places.length > 0 ? [dim(printable(`Also in: ${[...new Set(places)].join(', ')}`))] : []),
  ].join('\n');
}

function named(values: object = {}): string[] {
  return Object.entries(values).map(([name, value]) => `${name} ${Number(value).toFixed(3)}`);
}

/** A text in a style, or between two characters if styles are off. */
function styled(style: 'bold' | 'underline', text: string, open: string, close: string): string {
  const result = styleText(style, text);
  return result === text ? `${open}${text}${close}` : result;
}

const dim = (text: string) => styleText('dim', text);
