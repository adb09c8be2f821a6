import * as v from 'valibot';
import { InvalidRequest } from '../../../index/store/store.ts';
import { readBodyAs } from '../requests.ts';
import { attributesOf, type Contract, count, question, toFilter } from './contract.ts';

const body = v.looseObject({
  retrievalQuery: v.looseObject({ text: question }),
  retrievalConfiguration: v.nullish(
    v.looseObject({
      vectorSearchConfiguration: v.nullish(
        v.looseObject({
          numberOfResults: v.nullish(count.wrapped, 5),
          overrideSearchType: v.nullish(v.picklist(['HYBRID', 'SEMANTIC'], 'HYBRID or SEMANTIC'), 'HYBRID'),
          filter: v.nullish(v.looseObject({})),
        }),
        {},
      ),
    }),
    {},
  ),
  nextToken: v.nullish(v.string('text')),
});

/**
 * Retrieval from a knowledge base of Amazon Bedrock.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Retrieve.html
 */
export const bedrock: Contract = {
  // AWS's clients require ids of 10 characters, so that shorter names end in `_`.
  path: /^\/knowledgebases\/(?<id>[^/]+?)_*\/retrieve$/,
  ask: (text) => {
    const { retrievalQuery, retrievalConfiguration, nextToken } = readBodyAs(body, text);
    if (nextToken) throw new InvalidRequest('nextToken is not possible: an answer has no further pages.');
    const { numberOfResults, overrideSearchType, filter } = retrievalConfiguration.vectorSearchConfiguration;
    return {
      q: retrievalQuery.text,
      k: numberOfResults,
      mode: overrideSearchType.toLowerCase(),
      ...toFilter(filter, (node) => {
        const [[operator, of] = []] = Object.entries(node);
        return { operator, field: of?.key, value: of?.value, parts: of };
      }),
    };
  },
  answer: ({ results }, linkTo) => ({
    retrievalResults: results.map((result) => ({
      content: { type: 'TEXT', text: result.text },
      location: { type: 'WEB', webLocation: { url: linkTo(result) } },
      metadata: attributesOf(result),
      score: result.confidence,
    })),
  }),
  refuse: ({ status, detail }) => ({
    __type: ERRORS.get(status) ?? 'InternalServerException',
    message: detail,
  }),
};

const ERRORS = new Map([
  [400, 'ValidationException'],
  [401, 'AccessDeniedException'],
  [403, 'AccessDeniedException'],
  [404, 'ResourceNotFoundException'],
]);
