import { DEFAULT_INDEX, openLocal } from '../index/local.ts';
import { readable } from './kit/answer-text.ts';
import { main, print, Tool, VERDICT_CODES } from './kit/command.ts';
import { addQuestion, indexOption, type QuestionFlags, readQuestion } from './kit/flags.ts';

const command = addQuestion(
  new Tool('npm run search --', 'Search an index with a question, in any language.'),
)
  .addOption(indexOption(DEFAULT_INDEX))
  .examples(
    'npm run search -- "May I be imprisoned without a trial?" -k 5',
    'npm run search -- "Was kostet der Versand?" --lang de --source shop/ --filter year=2026',
    'echo "Am I entitled to paid leave?" | npm run --silent search -- - --json',
  )
  .action(async (question: string, flags: QuestionFlags & { index: string }) => {
    const request = await readQuestion(question, flags);
    const answer = await (await openLocal(flags.index)).search(request);
    print(flags.json, answer, () => readable(answer));
    process.exitCode = VERDICT_CODES[answer.verdict];
  });

await main(() => command.parseAsync());
