import * as v from 'valibot';
import { readBodyAs } from '../requests.ts';
import { attributesOf, type Contract, count, question, threshold, toFilter } from './contract.ts';

const body = v.looseObject({
  query: v.union([question, v.array(question)]),
  max_num_results: count,
  filters: v.nullish(v.looseObject({})),
  ranking_options: v.nullish(v.looseObject({ score_threshold: threshold })),
});

/**
 * Vector store search of OpenAI, which LiteLLM sends too.
 * https://platform.openai.com/docs/api-reference/vector-stores/search
 */
export const openai: Contract = {
  path: /^\/v1\/vector_stores\/(?<id>[^/]+)\/search$/,
  ask: (text) => {
    const { query, max_num_results: k, filters, ranking_options: ranking } = readBodyAs(body, text);
    return {
      // One request must not be many searches.
      q: [query].flat().join('\n'),
      k,
      minConfidence: ranking?.score_threshold,
      ...toFilter(filters, (node) => {
        const { type: operator, key: field, value, filters: parts } = node as Record<string, unknown>;
        return { operator, field, value, parts };
      }),
    };
  },
  answer: ({ q, results }) => ({
    object: 'vector_store.search_results.page',
    search_query: [q],
    data: results.map((result) => ({
      file_id: result.id,
      filename: result.source,
      score: result.confidence,
      // Attributes are never lists.
      attributes: Object.fromEntries(
        Object.entries(attributesOf(result)).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.join(', ') : value,
        ]),
      ),
      content: [{ type: 'text', text: result.text }],
    })),
    has_more: false,
    next_page: null,
  }),
  refuse: ({ status, detail }) => ({
    error: {
      message: detail,
      type: status < 500 ? 'invalid_request_error' : 'server_error',
      param: null,
      code: null,
    },
  }),
};
