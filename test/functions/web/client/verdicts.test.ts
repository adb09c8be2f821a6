import { FakeListChatModel } from '@langchain/core/utils/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../../../../functions/search/app.ts';
import { searchTool } from '../../../../functions/web/client/ai-sdk.ts';
import { type ChatOptions, createChat, type ModelFunction } from '../../../../functions/web/client/chat.ts';
import { Polyseek } from '../../../../functions/web/client/client.ts';
import { questionAnswering } from '../../../../functions/web/client/examples/langchain.ts';
import { PolyseekRetriever } from '../../../../functions/web/client/langchain.ts';
import type { Answer, SearchRequest } from '../../../../index/search/answer.ts';
import { ANSWERED } from '../../../../index/search/limits.ts';
import { request } from '../../search/ask.ts';
import { SearchDouble } from '../../search/search-double.ts';

// `SearchDouble` answers `Passports?`, has no sure answer to `perhaps`, and no answer to `unlikely`.

let search: SearchDouble;
let client: Polyseek;
beforeEach(() => {
  search = new SearchDouble();
  const app = createApp(search, { log: () => {} });
  const fetch: typeof globalThis.fetch = (input, init) => request(app, new URL(String(input)).pathname, init);
  client = new Polyseek({ url: 'http://localhost', fetch });
});

/** The text of an answer in a new conversation. */
const reply = async (q: string, options: Omit<ChatOptions, 'client'> = {}) =>
  (await createChat({ client, ...options }).ask(q)).text;

const PASSAGE = '“Passports are renewed online. A renewal takes three weeks.” [1]';
const SOURCE = '[1] Passports › Renewal, https://example.org/passports';
const CLOSE = 'These passages are close to your question:';
const NOTHING = 'Nothing here matches your question.';

describe('the chatbot', () => {
  test.each([
    ['Passports?', `${PASSAGE}\n${SOURCE}`],
    ['perhaps', `${CLOSE}\n${PASSAGE}\n${SOURCE}`],
    ['unlikely', NOTHING],
    ['nothing', NOTHING],
  ])('answers %j according to its verdict', async (q, said) => {
    expect(await reply(q)).toBe(said);
  });

  test.each([
    ['Passports', `Passports [1]\n${SOURCE}`],
    ['perhaps', `perhaps [1]\n${SOURCE}`],
    ['unlikely', `unlikely [1]\n${SOURCE}`],
    ['nothing', 'nothing [?]'],
  ])('lets a model answer %j, whatever the verdict', async (q, said) => {
    const model: ModelFunction = ([, message]) => `${JSON.parse(message!.content).question} [1]`;
    expect(await reply(q, { model })).toBe(said);
  });

  test('cites beside a sure answer only passages that would be an answer themselves', async () => {
    const plain = search.search.bind(search);
    search.search = async (question: SearchRequest): Promise<Answer> => {
      const answer = await plain(question);
      const [first] = answer.results;
      const confidences = [0.9, ANSWERED, ANSWERED - 0.01];
      return { ...answer, results: confidences.map((confidence) => ({ ...first!, confidence })) };
    };
    expect(await reply('Passports?')).toContain('\n[2] ');
    expect(await reply('Passports?')).not.toContain('\n[3] ');
    expect(await reply('perhaps')).toContain('\n[3] ');
    expect(await reply('Passports?', { minConfidence: 0.3 })).toContain('\n[3] ');
  });

  test.each([
    // With the history, alone, and the better of both.
    ['answered', 'none', 1, PASSAGE],
    ['possible', 'none', 2, CLOSE],
    ['possible', 'answered', 2, PASSAGE],
    ['none', 'possible', 2, CLOSE],
    ['none', 'none', 2, NOTHING],
  ] as const)('searches with a history (%s) and alone (%s)', async (together, alone, searches, said) => {
    const plain = search.search.bind(search);
    const chat = createChat({ client });
    await chat.ask('Passports?');
    search.requests.length = 0;
    search.search = (question) => {
      const verdict = question.history?.length ? together : alone;
      return plain({ ...question, q: { answered: 'x', possible: 'perhaps', none: 'unlikely' }[verdict] });
    };
    expect((await chat.ask('And now?')).text.split('\n')[0]).toBe(said);
    expect(search.requests).toHaveLength(searches);
  });
});

test('the tool of the AI SDK returns the verdict with the passages', async () => {
  const { execute, description } = searchTool(client);
  expect(description).toContain('`confidence` (0 to 1) estimates');
  for (const [q, verdict] of [
    ['Passports?', 'answered'],
    ['perhaps', 'possible'],
    ['unlikely', 'none'],
  ] as const) {
    const found = await execute!({ q }, { toolCallId: 'a', messages: [] });
    expect(found).toEqual({
      verdict,
      passages: [expect.objectContaining({ source: 'guides/passports.md' })],
    });
  }
});

describe('the LangChain.js', () => {
  test.each([
    ['Passports?', 'answered'],
    ['perhaps', 'possible'],
    ['unlikely', 'none'],
  ])('retriever notes the verdict on %j: %s', async (q, verdict) => {
    const documents = await new PolyseekRetriever({ client }).invoke(q);
    expect(documents.map(({ metadata }) => metadata.verdict)).toEqual([verdict]);
  });

  test.each(['perhaps', 'unlikely'])('example shows its model the passages for %j', async (q) => {
    const read: string[] = [];
    const callbacks = [
      { handleChatModelStart: (_: unknown, messages: unknown) => void read.push(JSON.stringify(messages)) },
    ];
    await questionAnswering(client, new FakeListChatModel({ responses: ['-'] })).invoke(q, { callbacks });
    expect(read[0]).toContain('A renewal takes three weeks.');
    expect(read[0]).toContain('estimates whether a passage answers');
  });
});
