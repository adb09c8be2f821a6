import type { Command } from 'commander';
import { Polyseek } from '../functions/web/client/client.ts';
import { DEFAULT_INDEX } from '../index/format/manifest.ts';
import { openLocal } from '../index/ingest/local.ts';
import type { Answer, SearchRequest } from '../index/search/answer.ts';
import { readable } from './kit/answer-text.ts';
import { print, Tool, VERDICT_CODES } from './kit/command.ts';
import {
  addEndpoint,
  addQuestion,
  chosenUrl,
  type EndpointFlags,
  type QuestionFlags,
  readQuestion,
  searchedIndexOption,
} from './kit/flags.ts';

interface Flags extends QuestionFlags, EndpointFlags {
  index: string;
  function?: string;
  qualifier?: string;
}

export const command = addEndpoint(
  addQuestion(
    new Tool('search', 'Ask a question in any language: of an index, an endpoint or a Lambda function.'),
  ),
)
  .addOption(searchedIndexOption(DEFAULT_INDEX))
  .option('--function <name>', 'ask this deployed function directly, bypassing the HTTP endpoint')
  .option('--qualifier <version>', 'with --function: version or alias (default: live)')
  .examples(
    'npx polyseek search "May I be imprisoned without a trial?" -k 5',
    'npx polyseek search "Was kostet der Versand?" --lang de --source shop/ --filter year=2026',
    'npx polyseek search "Was kostet der Versand?" --url https://abcde12345.execute-api.eu-central-1.amazonaws.com',
    'echo "Am I entitled to paid leave?" | npx polyseek search - --json',
  )
  .action(async (question: string, flags: Flags, command: Command) => {
    const { json, key, index, function: functionName, qualifier } = flags;
    const url = chosenUrl(command, 'function', 'index');
    const request = await readQuestion(question, flags);
    if (functionName) {
      const { ask } = await import('../functions/deployed/ask.ts');
      const { describeReport } = await import('../functions/deployed/report.ts');
      const { target } = await import('./kit/remote.ts');
      const { answer, report } = await ask(target({ function: functionName }), request, qualifier);
      print(json, { answer, report }, () => `${readable(answer)}\n\n${describeReport(report)}`);
      process.exitCode = VERDICT_CODES[answer.verdict];
      return;
    }
    const answer = url
      ? await new Polyseek({ url, apiKey: key }).search(request)
      : await searchIndex(index, request);
    print(json, answer, () => readable(answer));
    process.exitCode = VERDICT_CODES[answer.verdict];
  });

async function searchIndex(index: string, request: SearchRequest): Promise<Answer> {
  const search = await openLocal(index);
  try {
    return await search.search(request);
  } finally {
    search.close();
  }
}
