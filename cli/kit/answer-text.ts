import { styleText } from 'node:util';
import { printable } from '../../functions/web/client/printable.ts';
import type { Answer, SearchResult } from '../../index/search/answer.ts';
import { ANSWERED } from '../../index/search/limits.ts';
import { marksOf, splitAtMarks } from '../../index/search/marks.ts';

/** Length of a confidence bar in characters. */
const BAR = 10;

const FINDINGS = { answered: '', possible: 'No sure answer.', none: 'No answer found.' };

/** An answer as text. On a terminal, with colours and confidence bars. */
export function readable({ verdict, results, took, index }: Answer): string {
  const closest = results.length > 0 ? ' The closest passages:' : '';
  const finding = verdict === 'answered' ? [] : [styleText('yellow', `${FINDINGS[verdict]}${closest}`)];
  const end = dim(
    `${took.totalMs} ms (embedding ${took.embedMs}, search ${took.searchMs}) in ${index.passages} passages`,
  );
  return [...finding, ...results.map(readableResult), end].join('\n\n');
}

/** A document's path, and the place in it. */
const placed = (source: string, anchor?: string) => (anchor ? `${source}#${anchor}` : source);

function readableResult(result: SearchResult, i: number): string {
  const {
    id,
    title,
    source,
    url,
    anchor,
    lang,
    score,
    confidence,
    highlight,
    before = [],
    after = [],
    alsoIn = [],
  } = result;
  const text = printable(result.text);
  const marks = marksOf(result.text, result.matches);
  const part = (from: number, to: number) =>
    splitAtMarks(text, from, to, marks)
      .map(({ part, isMarked }) => (isMarked ? styled('underline', part, '*', '*') : part))
      .join('');
  const { start, end } = highlight;
  const parts = named(result.explain);
  const evidence = named(result.evidence);
  const places = alsoIn.map((place) => place.url ?? place.source);
  const sum = parts.length > 0 ? ` = ${parts.join(' + ')}` : '';
  return [
    `${i + 1}. ${styleText('bold', printable(title))}  ${dim(printable(`${url ?? placed(source, anchor)} [${lang}]`))} ` +
      `${readableConfidence(confidence)}${dim(`, score ${score.toFixed(3)}${sum}, id ${printable(id)}`)}`,
    ...before.map((one) => dim(printable(one.text))),
    part(0, start) + styled('bold', part(start, end), '»', '«') + part(end, text.length),
    ...after.map((one) => dim(printable(one.text))),
    ...(evidence.length > 0 ? [dim(`Evidence: ${evidence.join(', ')}`)] : []),
    ...(places.length > 0 ? [dim(printable(`Also in: ${[...new Set(places)].join(', ')}`))] : []),
  ].join('\n');
}

/** Each name with its value. */
function named(values: object = {}): string[] {
  return Object.entries(values).map(([name, value]) => `${name} ${Number(value).toFixed(3)}`);
}

function readableConfidence(confidence: number): string {
  const full = Math.round(confidence * BAR);
  const bar = process.stdout.isTTY ? `${'━'.repeat(full)}${'─'.repeat(BAR - full)} ` : '';
  return styleText(confidence >= ANSWERED ? 'green' : 'yellow', `confidence ${bar}${confidence.toFixed(2)}`);
}

/** A text in a style, or between two characters if styles are off. */
function styled(style: 'bold' | 'underline', text: string, open: string, close: string): string {
  const result = styleText(style, text);
  return result === text ? `${open}${text}${close}` : result;
}

function dim(text: string): string {
  return styleText('dim', text);
}
