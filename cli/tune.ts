import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { ConfidenceScores } from '../index/evaluate/confidence-report.ts';
import { type TuneReport, tune } from '../index/evaluate/tune.ts';
import { readFolder } from '../index/format/drafts.ts';
import { readManifest } from '../index/format/manifest.ts';
import { openLocal } from '../index/ingest/open-local.ts';
import { CONFIG_FILE, readConfig } from '../index/ingest/sources/config.ts';
import { print, Tool } from './kit/command.ts';
import { indexOption, jsonOption } from './kit/flags.ts';

export const command = new Tool(
  'tune',
  'Fit the confidence of an index to your own questions about it. Writes "tuning" to the config file, for the next build.',
)
  .argument(
    '<file>',
    'about 30 questions, a third of them without an answer: JSON Lines with "text" and "answers", a list of {source, contains}',
  )
  .addOption(indexOption())
  .option('--config <file>', 'config file to write', CONFIG_FILE)
  .addOption(jsonOption())
  .examples('npx polyseek tune my-questions.jsonl')
  .action(
    async (file: string, { index, config, json }: { index: string; config: string; json?: boolean }) => {
      // Before the questions are asked.
      if (existsSync(config)) readConfig(config);
      const search = await openLocal(index);
      try {
        const current = await readFolder(index, async (folder) => readManifest(folder, undefined, false));
        const report = await tune(search, current.tuning, file);
        writeTuning(config, report);
        print(json, report, () => reportText(report, config));
      } finally {
        search.close();
      }
    },
  );

/** Replaces the key in the file. The other keys keep their order. */
function writeTuning(file: string, { tuning }: TuneReport): void {
  const config = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {};
  writeFileSync(file, `${JSON.stringify({ ...config, tuning }, null, 2)}\n`);
}

function reportText({ questions, now, tuned, tuning }: TuneReport, config: string): string {
  const rows: [string, (scores: ConfidenceScores) => string][] = [
    ['right first, and answered', ({ answerable: a }) => `${a.rightAnswered} of ${a.right}`],
    ['right first, yet none', ({ answerable: a }) => `${a.right - a.rightPossible} of ${a.right}`],
    ['wrong first, yet answered', ({ answerable: a }) => `${a.wrongAnswered} of ${a.questions - a.right}`],
    ['without an answer, yet answered', ({ unanswerable: u }) => `${u.answered} of ${u.questions}`],
    ['distance of confidence from truth (ECE)', ({ ece }) => ece.toFixed(2)],
  ];
  return [
    `${`${questions} questions`.padEnd(42)}${'now'.padEnd(12)}tuned`,
    ...rows.map(([name, cell]) => `${name.padEnd(42)}${cell(now).padEnd(12)}${cell(tuned)}`),
    '',
    `Wrote "tuning": ${JSON.stringify(tuning)} to ${config}. Run npx polyseek index to use it.`,
  ].join('\n');
}
