import {
  type ConversionConfig,
  type JsonSchema,
  toJsonSchema,
  toJsonSchemaDefs,
} from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import type { Answer } from '../../index/search/answer.ts';
import {
  answerSchema,
  feedbackSchema,
  healthSchema,
  indexSchema,
  overviewSchema,
  passageSchema,
  problemSchema,
  resultSchema,
} from './answer-schemas.ts';
import {
  exampleFeedback,
  exampleQuestion,
  feedbackBody,
  passageParameters,
  searchBody,
  searchParameters,
} from './request-schemas.ts';
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

// `input`: callers may omit fields with a default. JSON Schema cannot express trimming.
const conversion: ConversionConfig = {
  target: 'draft-2020-12',
  typeMode: 'input',
  ignoreActions: ['trim'],
  overrideSchema: ({ jsonSchema }) => {
    // GPT Actions refuse objects without `properties`, even if any property is allowed, and arrays without `items`.
    if (jsonSchema.type === 'object') return { properties: {}, ...jsonSchema };
    const { prefixItems, ...array } = jsonSchema;
    if (!prefixItems) return undefined;
    const { length } = prefixItems;
    return { ...array, items: prefixItems[0], minItems: length, maxItems: length };
  },
};

/** The demo's answer. */
const exampleAnswer: Answer = {
  q: exampleQuestion,
  verdict: 'answered',
  answered: true,
  results: [
    {
      id: 'bfa7b9f0b9d7',
      text: 'Article 4\nNo one shall be held in slavery or servitude; slavery and the slave trade shall be prohibited in all their forms.',
      title: 'Universal Declaration of Human Rights › Article 4',
      source: 'eng.html',
      lang: 'en',
      score: 1.72,
      confidence: 0.8,
      highlight: {
        text: 'No one shall be held in slavery or servitude; slavery and the slave trade shall be prohibited in all their forms.',
        start: 10,
        end: 123,
      },
      matches: [
        { query: [3, 10], text: [34, 41], weight: 0.46 },
        { query: [11, 18], text: [93, 103], weight: 0.31 },
      ],
    },
  ],
  took: { embedMs: 8.1, searchMs: 0.6, totalMs: 8.9 },
  index: { version: '0885088ddd7b', passages: 383, model: 'multilingual-e5-small' },
};

/** A schema in its place, for one that only some documents need. */
function inline(schema: GenericSchema): JsonSchema {
  const { $schema: _, ...own } = toJsonSchema(schema, conversion);
  return own;
}

function queryParameters(entries: Record<string, GenericSchema>, examples: Record<string, unknown> = {}) {
  return Object.entries(entries).map(([name, entry]) => {
    const { description, ...own } = inline(entry);
    // Allows a single value too: GPT Actions write lists in their own form.
    const schema: JsonSchema | { anyOf: unknown[] } =
      own.type === 'array' ? { anyOf: [own.items, own] } : own;
    const example = name in examples && { example: examples[name] };
    return { name, in: 'query', required: entry.type !== 'optional', description, schema, ...example };
  });
}

const answered = (description: string, name: keyof typeof schemas, example?: Answer) => ({
  description,
  content: { 'application/json': { schema: ref(name), ...(example && { example }) } },
});

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: ref('Problem') } },
});

const searchDescription =
  'Finds passages that answer a question. The question and the documents may be in different languages. `verdict` is `answered`, `possible` (no sure answer) or `none` (no answer found).';

const bodyProblems = {
  413: problem('The body is longer than 64 KiB.'),
  415: problem('The body is not JSON.'),
};

const asked = { q: exampleQuestion, k: 3, matches: true };

/** The routes, with the error responses that any of them may give. */
function pathsOf(problems: ReturnType<typeof commonProblems>) {
  const found = {
    200: answered('The passages found.', 'Answer', exampleAnswer),
    400: problem('A parameter or field is missing, unknown or wrong. `detail` says what to change.'),
    ...problems,
  };
  return {
    '/search': {
      get: {
        operationId: 'search',
        summary: 'Search with a question',
        description: searchDescription,
        parameters: queryParameters(searchParameters.entries, asked),
        responses: found,
      },
      post: {
        operationId: 'searchWithFilter',
        summary: 'Search with a question, a history and filters on any field',
        description: searchDescription,
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: ref('SearchBody'),
              example: { ...asked, filter: { lang: ['en', 'fr'] } },
            },
          },
        },
        responses: { ...found, ...bodyProblems },
      },
    },
    '/passages/{id}': {
      get: {
        operationId: 'getPassage',
        summary: 'Get a passage by its id',
        description: 'Returns one passage. `context` adds the surrounding passages of its document.',
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
          200: answered('The passage.', 'Passage'),
          400: problem('A parameter is unknown or wrong.'),
          404: problem('No passage has this id.'),
          ...problems,
        },
      },
    },
    '/health': {
      get: {
        operationId: 'getHealth',
        summary: 'Check that the search is ready',
        description: 'Returns the version, size and model of the index once it is open.',
        responses: { 200: answered('The index is open.', 'Health'), ...problems },
      },
    },
    '/overview': {
      get: {
        operationId: 'getOverview',
        summary: 'Describe the index',
        description:
          'Returns languages and sources with their number of passages, for filters, and suggested questions.',
        responses: { 200: answered('Contents of the index.', 'Overview'), ...problems },
      },
    },
  };
}

/** The route of endpoints that take feedback. */
function feedbackPath(problems: ReturnType<typeof commonProblems>) {
  return {
    '/feedback': {
      post: {
        operationId: 'giveFeedback',
        summary: 'Say whether an answer helped',
        description: 'Writes to the log whether the answer to a question helped.',
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: inline(feedbackBody), example: JSON.parse(exampleFeedback) },
          },
        },
        responses: {
          200: {
            description: 'The feedback is in the log.',
            content: { 'application/json': { schema: inline(feedbackSchema) } },
          },
          400: problem('A field is missing, unknown or wrong.'),
          ...bodyProblems,
          ...problems,
        },
      },
    },
  };
}

/** The error responses that any route may give. */
function commonProblems(credential: string, tokens: boolean) {
  return {
    ...(credential !== '' && { 401: problem(`The ${credential} is missing or not valid.`) }),
    // From API Gateway, with its own body.
    429: { description: 'Too many requests. Try again in a moment.' },
    403: problem(
      `The request comes from a page of an origin that is not allowed${tokens ? ', or the token lacks a scope' : ''}.`,
    ),
    500: problem('The search failed. The log contains the cause under `requestId`.'),
    503: problem(
      `The index cannot be read${tokens ? ', or the token cannot be checked,' : ''} now. Try again after the seconds in \`Retry-After\`.`,
    ),
  };
}

/** The OpenAPI 3.1 document of an endpoint, by its URL without a final slash, what requests to it may send, and whether it takes feedback. */
export function openApi(
  server: string,
  settings: { keys?: boolean; tokens?: boolean; feedback?: boolean } = {},
) {
  const { keys = false, tokens = false, feedback = false } = settings;
  const credential = [keys && 'API key', tokens && 'access token'].filter(Boolean).join(' or ');
  // The header is one of the two ways to send a key. GPT Actions, among others, accept only one scheme.
  const securitySchemes = {
    apiKey: { type: 'http', scheme: 'bearer', description: `The ${credential} as bearer token.` },
  };
  const problems = commonProblems(credential, tokens);
  const definitions: Record<keyof typeof schemas, JsonSchema> = toJsonSchemaDefs(schemas, {
    ...conversion,
    overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'polyseek',
      version,
      description: 'Semantic search over documents in any language.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: server }],
    security: credential ? [{ apiKey: [] }] : [],
    paths: { ...pathsOf(problems), ...(feedback && feedbackPath(problems)) },
    components: {
      schemas: definitions,
      ...(credential && { securitySchemes }),
    },
  };
}
