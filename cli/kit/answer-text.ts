import { styleText } from 'node:util';
import type { Answer, SearchResult } from '../../index/search/answer.ts';
import { ANSWERED } from '../../index/search/confidence.ts';

/** Length of a confidence bar in characters. */
const BAR = 10;

/** An answer as text. On a terminal, with colours and confidence bars. */
export function readable({ answered, results, took, index }: Answer): string {
  const nearest = results.length > 0 ? ' Nearest passages:' : '';
  const verdict = answered ? [] : [styleText('yellow', `Nothing found.${nearest}`)];
  const end = dim(
    `${took.totalMs} ms (embedding ${took.embedMs}, search ${took.searchMs}) in ${index.passages} passages`,
  );
  return [...verdict, ...results.map(readableResult), end].join('\n\n');
}

function readableResult(result: SearchResult, i: number): string {
  const {
    id,
    title,
    source,
    url,
    lang,
    score,
    confidence,
    highlight,
    before = [],
    after = [],
    alsoIn = [],
  } = result;
  const text = printable(result.text);
  const [start, sentence, rest] = [
    text.slice(0, highlight.start),
    text.slice(highlight.start, highlight.end),
    text.slice(highlight.end),
  ];
  const parts = Object.entries(result.explain ?? {}).map(([part, value]) => `${part} ${value.toFixed(3)}`);
  const places = alsoIn.map((place) => place.url ?? place.source);
  const sum = parts.length > 0 ? ` = ${parts.join(' + ')}` : '';
  return [
    `${i + 1}. ${styleText('bold', printable(title))}  ${dim(printable(`${url ?? source} [${lang}]`))} ` +
      `${readableConfidence(confidence)}${dim(`, score ${score.toFixed(3)}${sum}, id ${printable(id)}`)}`,
    ...before.map((one) => dim(printable(one.text))),
    `${start}${marked(sentence)}${rest}`,
    ...after.map((one) => dim(printable(one.text))),
    ...(places.length > 0 ? [dim(printable(`Also in: ${[...new Set(places)].join(', ')}`))] : []),
  ].join('\n');
}

function readableConfidence(confidence: number): string {
  const full = Math.round(confidence * BAR);
  const bar = process.stdout.isTTY ? `${'━'.repeat(full)}${'─'.repeat(BAR - full)} ` : '';
  return styleText(confidence >= ANSWERED ? 'green' : 'yellow', `confidence ${bar}${confidence.toFixed(2)}`);
}

/** The best sentence in bold, or between marks if styles are off. */
function marked(sentence: string): string {
  const bold = styleText('bold', sentence);
  return bold === sentence ? `»${sentence}«` : bold;
}

function dim(text: string): string {
  return styleText('dim', text);
}

/** Replaces control characters, which could manipulate a terminal, one for one. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '\uFFFD');
}
