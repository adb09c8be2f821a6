import * as v from 'valibot';
import { readBodyAs } from '../requests.ts';
import { attributesOf, type Contract, count, question, threshold, toFilter } from './contract.ts';

const body = v.looseObject({
  knowledge_id: v.string('text'),
  query: question,
  retrieval_setting: v.nullish(v.looseObject({ top_k: count, score_threshold: threshold })),
  metadata_condition: v.nullish(v.looseObject({})),
});

/**
 * External knowledge of Dify, which adds `/retrieval` to the URL that its settings have.
 * https://docs.dify.ai/en/use-dify/knowledge/external-knowledge-api
 */
export const dify: Contract = {
  path: /^\/dify\/retrieval$/,
  ask: (text) => {
    const { knowledge_id: id, query: q, ...options } = readBodyAs(body, text);
    const { top_k: k, score_threshold: minConfidence } = options.retrieval_setting ?? {};
    return {
      id,
      q,
      k,
      minConfidence,
      ...toFilter(options.metadata_condition, (node) => {
        const { comparison_operator, logical_operator, name, value, conditions } = node as Record<
          string,
          unknown
        >;
        const operator = comparison_operator ?? logical_operator ?? 'and';
        return { operator, field: name, value, parts: conditions };
      }),
    };
  },
  answer: ({ results }, linkTo) => ({
    records: results.map((result) => ({
      content: result.text,
      score: result.confidence,
      title: result.title || result.source,
      metadata: { ...attributesOf(result), url: linkTo(result) },
    })),
  }),
  refuse: ({ status, detail }, { authorization = '' }) => ({
    error_code: status === 401 && authorization === '' ? NO_KEY : (CODES.get(status) ?? status),
    error_msg: detail,
  }),
};

/** Dify's codes for errors. */
const NO_KEY = 1001;
const CODES = new Map([
  [401, 1002],
  [403, 1002],
  [404, 2001],
]);
