import { type ConversionConfig, toJsonSchema, toJsonSchemaDefs } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import type { Answer } from '../../index/search/answer.ts';
import {
  answerSchema,
  exampleQuestion,
  healthSchema,
  indexSchema,
  overviewSchema,
  passageParameters,
  passageSchema,
  problemSchema,
  resultSchema,
  searchBody,
  searchParameters,
} from './schemas.ts';
import { version } from './version.ts';

const schemas = {
  SearchBody: searchBody,
  Answer: answerSchema,
  Result: resultSchema,
  Passage: passageSchema,
  Health: healthSchema,
  Overview: overviewSchema,
  Index: indexSchema,
  Problem: problemSchema,
};

const ref = (name: keyof typeof schemas) => ({ $ref: `#/components/schemas/${name}` });

// `input`: what a caller may send, where a default may be left out. Trimming has no counterpart in JSON Schema.
const conversion: ConversionConfig = {
  target: 'draft-2020-12',
  typeMode: 'input',
  ignoreActions: ['trim'],
  // GPT Actions refuse objects that list no properties, be it that any may stand there.
  overrideSchema: ({ jsonSchema }) =>
    jsonSchema.type === 'object' ? { properties: {}, ...jsonSchema } : undefined,
};

const exampleAnswer: Answer = {
  q: exampleQuestion,
  answered: true,
  results: [
    {
      id: 'a1b2c3d4e5f6',
      text: 'No one shall be held in slavery. The slave trade shall be prohibited.',
      title: 'Universal Declaration of Human Rights › Article 4',
      source: 'eng.html',
      lang: 'en',
      score: 1.88,
      confidence: 0.99,
      highlight: { text: 'No one shall be held in slavery.', start: 0, end: 32 },
    },
  ],
  took: { embedMs: 8.1, searchMs: 0.6, totalMs: 8.9 },
  index: { version: '3f1c9a7e', passages: 1204, model: 'multilingual-e5-small' },
};

function queryParameters(entries: Record<string, GenericSchema>, examples: Record<string, unknown> = {}) {
  return Object.entries(entries).map(([name, entry]) => {
    const { $schema: _, description, ...own } = toJsonSchema(entry, conversion);
    // One value needs no list, which GPT Actions write in a form of their own.
    const schema = own.type === 'array' ? { anyOf: [own.items, own] } : own;
    const required = entry.type !== 'optional';
    const example = name in examples && { example: examples[name] };
    return { name, in: 'query', required, description, schema, ...example };
  });
}

const content = (name: keyof typeof schemas, example?: unknown) => ({
  'application/json': { schema: ref(name), ...(example !== undefined && { example }) },
});

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: ref('Problem') } },
});

/** One of the two ways to send a key, as GPT Actions, and others that read such documents, take one scheme only. */
const securitySchemes = {
  apiKey: { type: 'http', scheme: 'bearer', description: 'The API key as bearer token.' },
};

const searchDescription =
  'Finds the passages that answer a question, in any language, whatever language they are written in. Where `answered` is false, the documents do not hold an answer that is certain enough.';

/**
 * The OpenAPI 3.1 document of the endpoint.
 * @param server where it is reached, an absolute URL without a final slash
 * @param withKeys whether requests need an API key
 */
export function openApi(server: string, withKeys = false) {
  const problems = {
    ...(withKeys && { 401: problem('No API key was sent, or one that is not valid.') }),
    // Of the gateway, whose body is its own.
    429: { description: 'More requests at once than the endpoint takes: ask again in a moment.' },
    500: problem('The search failed; the log has the cause under `requestId`.'),
  };
  const searchResponses = {
    200: { description: 'The passages found.', content: content('Answer', exampleAnswer) },
    400: problem('A parameter or field is missing, unknown or wrong; `detail` says what to change.'),
    ...problems,
  };
  const definitions = toJsonSchemaDefs(schemas, {
    ...conversion,
    overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'polyseek',
      version,
      description: 'Semantic search over documents, in any language.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: server }],
    security: withKeys ? [{ apiKey: [] }] : [],
    paths: {
      '/search': {
        get: {
          operationId: 'search',
          summary: 'Search by a question',
          description: searchDescription,
          parameters: queryParameters(searchParameters.entries, { q: exampleQuestion, k: 3 }),
          responses: searchResponses,
        },
        post: {
          operationId: 'searchWithFilter',
          summary: 'Search by a question, with filters on any field',
          description: searchDescription,
          requestBody: {
            required: true,
            content: content('SearchBody', { q: exampleQuestion, k: 3, filter: { lang: ['en', 'fr'] } }),
          },
          responses: {
            ...searchResponses,
            413: problem('The body is longer than 64 KiB.'),
            415: problem('The body is not JSON.'),
          },
        },
      },
      '/passages/{id}': {
        get: {
          operationId: 'getPassage',
          summary: 'Get a passage by its id',
          description: 'One passage, with its neighbours in the document if `context` asks for them.',
          parameters: [
            {
              name: 'id',
              in: 'path',
              required: true,
              description: 'The `id` of a search result, percent-encoded.',
              schema: { type: 'string', minLength: 1 },
            },
            ...queryParameters(passageParameters.entries),
          ],
          responses: {
            200: { description: 'The passage.', content: content('Passage') },
            400: problem('A parameter is unknown or wrong.'),
            404: problem('No passage has this id.'),
            ...problems,
          },
        },
      },
      '/health': {
        get: {
          operationId: 'getHealth',
          summary: 'Say whether the search works, and on which index',
          description: 'Answers once the index is open.',
          responses: {
            200: { description: 'The index is open.', content: content('Health') },
            ...problems,
          },
        },
      },
      '/overview': {
        get: {
          operationId: 'getOverview',
          summary: 'Say what the index holds',
          description:
            'Languages and sources with their numbers of passages, to filter on, and questions to begin with.',
          responses: {
            200: { description: 'What the index holds.', content: content('Overview') },
            ...problems,
          },
        },
      },
    },
    components: { schemas: definitions, ...(withKeys && { securitySchemes }) },
  };
}
