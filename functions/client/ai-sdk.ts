import { jsonSchema, tool } from 'ai';
import type { Polyseek, Question } from './client.ts';

/** A tool of the Vercel AI SDK with which a model searches; the options hold for each of its questions. */
export function searchTool(client: Polyseek, options: Omit<Question, 'q'> = {}) {
  return tool({
    description:
      'Searches the documents for passages that answer a question; question and documents may be in any language. Where `answered` is false, the documents do not hold the answer: say so. Cite passages by title and url, or source.',
    inputSchema: jsonSchema<{ question: string }>({
      type: 'object',
      properties: {
        question: { type: 'string', description: 'A whole question, as one would ask a person.' },
      },
      required: ['question'],
      additionalProperties: false,
    }),
    execute: async ({ question }, { abortSignal }) => {
      const { answered, results } = await client.search({ ...options, q: question }, { signal: abortSignal });
      const passages = results.map(({ title, source, url, lang, text, confidence }) => ({
        title,
        source,
        url,
        lang,
        text,
        confidence,
      }));
      return { answered, passages };
    },
  });
}
