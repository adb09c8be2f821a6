import { styleText } from 'node:util';
import {
  findPassages,
  type Inspection,
  inspectIndex,
  type PassageSummary,
} from '../index/evaluate/inspect-index.ts';
import type { Passage } from '../index/format/passage.ts';
import { print, Tool } from './kit/command.ts';
import { jsonOption, searchedIndexOption } from './kit/flags.ts';

/** Sources shown. `--json` lists all. */
const SHOWN = 50;

export const command = new Tool(
  'inspect',
  'Show what an index contains: documents, languages, duplicates, and the text of passages.',
)
  .argument('[name]', 'path of a document, folder (ending in /), or ID of a passage: shows its passages')
  .addOption(searchedIndexOption())
  .addOption(jsonOption())
  .examples('npx polyseek inspect', 'npx polyseek inspect faq.md', 'npx polyseek inspect guides/ --json')
  .action(async (name: string | undefined, { index, json }: { index: string; json?: boolean }) => {
    if (name === undefined) {
      const inspection = await inspectIndex(index);
      print(json, inspection, () => overviewText(inspection));
      return;
    }
    const passages = await findPassages(index, name);
    if (passages.length === 0)
      throw new Error(
        `${index}: no document or passage is named ${JSON.stringify(name)}. npx polyseek inspect lists the documents.`,
      );
    print(json, passages, () => passages.map(passageText).join('\n\n'));
  });

const bold = (text: string) => styleText('bold', text, { stream: process.stdout });

function overviewText(inspection: Inspection): string {
  const { version, model, counts, languages, sources, duplicates, longest, shortest } = inspection;
  const tags = Object.entries(languages).map(([lang, count]) => `${lang} ${count}`);
  const more = sources.length > SHOWN ? [`… and ${sources.length - SHOWN} more`] : [];
  return [
    `${counts.documents} documents, ${counts.passages} passages (${duplicates} duplicates), ${counts.sentences} sentences`,
    `version ${version}, model ${model}`,
    '',
    `${bold('Languages')}  ${tags.join(', ')}`,
    '',
    bold('Passages of each source'),
    ...sources
      .slice(0, SHOWN)
      .map((one) => `${String(one.passages).padStart(6)}  ${one.source}  (${one.languages.join(', ')})`),
    ...more,
    '',
    bold('Longest passages, in characters'),
    ...longest.map(summaryText),
    '',
    bold('Shortest passages'),
    ...shortest.map(summaryText),
  ].join('\n');
}

function summaryText({ id, source, title, characters }: PassageSummary): string {
  return `${String(characters).padStart(6)}  ${id}  ${source}  ${title}`;
}

function passageText({ id, source, title, lang, url, anchor, text }: Passage): string {
  return [
    bold(title),
    `${id}  ${source}${anchor ? `#${anchor}` : ''}  ${lang}${url ? `  ${url}` : ''}`,
    text,
  ].join('\n');
}
