import type { Reader } from './input.ts';
import { readMarkdown } from './markdown/markdown.ts';
import { jsonProblem } from './records/values.ts';

const MAX_BYTES = 64 * 2 ** 20;
/** Characters of a result of code: data is cut. */
const MAX_OUTPUT = 2000;

/** Reads a Jupyter notebook as Markdown: texts, code, and the code's results as far as they are text. */
export const readNotebook: Reader = async function* (input) {
  let notebook: unknown;
  try {
    notebook = JSON.parse((await input.bytes(MAX_BYTES)).toString());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw input.failure('not valid JSON', `Correct it (${jsonProblem(error)}).`);
  }
  const cells = field(notebook, 'cells');
  if (!Array.isArray(cells))
    throw input.failure('old notebook format', 'Open it in Jupyter and save it again.');
  const language = text(field(field(field(notebook, 'metadata'), 'kernelspec'), 'language'));
  const parts = cells.map((cell) => {
    const source = text(field(cell, 'source'));
    const type = field(cell, 'cell_type');
    if (type === 'markdown') return source;
    if (type !== 'code') return '';
    const outputs = field(cell, 'outputs');
    return [fenced(source, language), ...(Array.isArray(outputs) ? outputs.map(output) : [])].join('\n\n');
  });
  yield readMarkdown(parts.join('\n\n'), input.source, input.path);
};

function output(value: unknown): string {
  const result = text(field(value, 'text')) || text(field(field(value, 'data'), 'text/plain'));
  return fenced(result.length > MAX_OUTPUT ? `${result.slice(0, MAX_OUTPUT)} …` : result, '');
}

/** Code between lines that it does not contain. */
function fenced(code: string, language: string): string {
  if (code.trim() === '') return '';
  const runs = code.match(/`{3,}/g) ?? [];
  const fence = '`'.repeat(runs.reduce((longest, { length }) => Math.max(longest, length), 2) + 1);
  return `${fence}${/^\w*$/.test(language) ? language : ''}\n${code.trimEnd()}\n${fence}`;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** A text, or the lines of one. */
function text(value: unknown): string {
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.filter((line) => typeof line === 'string').join('') : '';
}
