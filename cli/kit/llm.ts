import { type Command, Option } from 'commander';
import type { HostRoute } from '../../functions/search/app.ts';
import { readBody, readSearchBody } from '../../functions/search/requests.ts';
import { createChat, type ModelEndpoint, type Searcher } from '../../functions/web/client/chat.ts';
import type { Question } from '../../functions/web/client/client.ts';
import { parseJson } from '../../index/kit/json.ts';
import type { Search } from '../../index/search/answer.ts';
import { describeError, forTerminal, UsageError } from './command.ts';

export interface ModelFlags {
  llm?: string;
  llmModel?: string;
}

export const addModel = <Asking extends Command>(command: Asking): Asking =>
  command
    .addOption(
      new Option(
        '--llm <url>',
        'write answers with the language model of this OpenAI-compatible endpoint, such as http://localhost:11434/v1; its key is in POLYSEEK_LLM_KEY',
      ),
    )
    .addOption(
      new Option(
        '--llm-model <name>',
        'with --llm: name of the model (default: the only one of the endpoint)',
      ),
    );

/** The chosen language model, if any. Throws an `Error` if the endpoint has several models and none was chosen. */
export async function modelOf({ llm: url, llmModel: name }: ModelFlags): Promise<ModelEndpoint | undefined> {
  if (url === undefined) {
    if (name !== undefined) throw new UsageError('--llm-model needs --llm. Add it.');
    return undefined;
  }
  const key = process.env.POLYSEEK_LLM_KEY;
  return { url, key, name: name ?? (await onlyModel(url, key)) };
}

async function onlyModel(url: string, key: string | undefined): Promise<string> {
  const response = await fetch(`${url.replace(/\/+$/, '')}/models`, {
    headers: key ? { authorization: `Bearer ${key}` } : {},
  }).catch(() => undefined);
  const list = response?.ok ? parseJson(await response.text()) : undefined;
  const names = ((list as { data?: { id: string }[] } | undefined)?.data ?? []).map(({ id }) => id);
  if (names.length === 1) return names[0]!;
  throw new UsageError(
    names.length > 1
      ? `${url} has several models. Choose one with --llm-model: ${names.join(', ')}.`
      : `${url} lists no models. Check the URL and POLYSEEK_LLM_KEY, or name the model with --llm-model.`,
  );
}

/** Searches an open index. `within` limits questions that have no filter of their own. */
export const searcherOf = (search: Search, within: Omit<Question, 'q'> = {}): Searcher => ({
  search: async (question) => {
    const asked = Object(question) as Question;
    const request = asked.source === undefined ? { ...within, ...asked } : asked;
    return search.search(readSearchBody(JSON.stringify(request)));
  },
});

/** The route `POST /answer`, which streams an answer that a language model writes, as server-sent events. */
export const answerRoute =
  (model: ModelEndpoint): HostRoute =>
  (searchOf) => ({
    path: '/answer',
    POST: async (request) => {
      const body = await readBody(request);
      // Throws for a wrong request.
      readSearchBody(body);
      const { q, k, minConfidence, lang, source, filter }: Question = JSON.parse(body);
      const client = searcherOf(await searchOf(request), { lang, source, filter });
      const { ask } = createChat({ client, model, k, minConfidence });
      return {
        status: 200,
        // The second header stops nginx from collecting the answer.
        headers: {
          'content-type': 'text/event-stream',
          'cache-control': 'no-cache',
          'x-accel-buffering': 'no',
        },
        body: '',
        stream: async (write, signal) => {
          const send = (event: object) => write(`data: ${JSON.stringify(event)}\n\n`);
          try {
            send(await ask(q, { onText: (part) => send({ part }), signal }));
          } catch (error) {
            if (signal.aborted) return;
            console.error(forTerminal(`${request.requestId}: ${describeError(error)}`));
            send({ error: `No answer was written. The log contains the cause under ${request.requestId}.` });
          }
        },
      };
    },
  });
