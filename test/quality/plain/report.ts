import { textBlocks } from '../../../index/documents/plain/text.ts';
import { type Counts, figures, type Mistake, score, sum } from './score.ts';
import { type AnnotatedText, annotatedTexts, excerptOf } from './texts.ts';

/** A text with what the reader made of it. */
interface Scored {
  text: AnnotatedText;
  excerpt: string;
  counts: Counts;
  mistakes: Mistake[];
}

/** Reads and scores all texts of a half. `missing` has a sentence for each text that cannot be read. */
export function scoreHalf(split: AnnotatedText['split']): { scored: Scored[]; missing: string[] } {
  const scored: Scored[] = [];
  const missing: string[] = [];
  for (const text of annotatedTexts().filter((text) => text.split === split)) {
    const source = excerptOf(text);
    if ('missing' in source) missing.push(source.missing);
    else scored.push({ text, ...source, ...score(source.excerpt, text.blocks, textBlocks(source.excerpt)) });
  }
  return { scored, missing };
}

/** A line of a table: boundary F1, heading precision and recall, joined lines that are right. */
function row(name: string, counts: Counts): string {
  const percent = (value: number) => (100 * value).toFixed(1);
  const boundaries = figures(counts.boundaries);
  const headings = figures(counts.headings);
  const joints = counts.joints.true === 0 ? 1 : counts.joints.right / counts.joints.true;
  const cells = [
    name,
    percent(boundaries.precision),
    percent(boundaries.recall),
    percent(boundaries.f1),
    counts.headings.true,
    counts.headings.found,
    percent(headings.precision),
    percent(headings.recall),
    percent(joints),
  ];
  return `| ${cells.join(' | ')} |`;
}

function table(scored: Scored[], group: (text: AnnotatedText) => string): string[] {
  const names = [...new Set(scored.map(({ text }) => group(text)))].sort();
  return names.map((name) => {
    const some = scored.filter(({ text }) => group(text) === name);
    return row(`${name} (${some.length})`, sum(some.map(({ counts }) => counts)));
  });
}

// npx tsx test/quality/plain/report.ts dev [NAME]
if (process.argv[1] === import.meta.filename) {
  const [split = 'dev', shown] = process.argv.slice(2);
  if (split !== 'dev' && split !== 'test') throw new Error(`${split} is no half. Write dev or test.`);
  const { scored, missing } = scoreHalf(split);
  console.log(
    '| texts | boundary P | R | F1 | headings | found | P | R | joints |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  );
  console.log(row(split, sum(scored.map(({ counts }) => counts))));
  for (const group of [({ kind }: AnnotatedText) => kind, ({ lang }: AnnotatedText) => lang])
    console.log(table(scored, group).join('\n'));
  for (const sentence of missing) console.log(sentence);
  // Decisions must not depend on mistakes in the other half, so they are not shown.
  if (split === 'dev')
    for (const { text, excerpt, mistakes } of scored.filter(({ text }) => !shown || text.name === shown))
      for (const { line, what } of mistakes)
        console.log(`${text.name}:${line} ${what}: ${excerpt.split('\n')[line - 1]}`);
}
