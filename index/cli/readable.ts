import { styleText } from 'node:util';
import type { Answer } from '../search/answer.ts';

/** An answer as text for a terminal; without styles where standard output is none. */
export function readable({ answered, results, took, index }: Answer): string {
  const dim = (text: string) => (process.stdout.isTTY ? styleText('dim', text) : text);
  const bold = (text: string) => (process.stdout.isTTY ? styleText('bold', text) : text);
  const lines = results.map(
    (
      { id, text, title, source, url, lang, score, confidence, highlight, before = [], after = [], explain },
      i,
    ) => {
      const marked = text.slice(0, highlight.start) + bold(highlight.text) + text.slice(highlight.end);
      const parts = explain
        ? ` = ${Object.entries(explain)
            .map(([part, value]) => `${part} ${value.toFixed(3)}`)
            .join(' + ')}`
        : '';
      return [
        `${i + 1}. ${bold(title)}  ${dim(`${url ?? source} [${lang}] confidence ${confidence.toFixed(2)}, score ${score.toFixed(3)}${parts}, id ${id}`)}`,
        ...before.map((one) => dim(one.text)),
        marked,
        ...after.map((one) => dim(one.text)),
      ].join('\n');
    },
  );
  const verdict = answered
    ? []
    : [results.length > 0 ? 'Nothing certain found; the nearest passages:' : 'Nothing found.'];
  const end = dim(
    `${took.totalMs} ms (embedding ${took.embedMs}, search ${took.searchMs}) in ${index.passages} passages`,
  );
  return [...verdict, ...lines, end].join('\n\n');
}
