import * as v from 'valibot';
import { ANSWERED, LIMITS } from '../../index/search/limits.ts';
import type { Question } from '../web/client/types.ts';
import type { Same } from './answer-schemas.ts';

/** Example question in error messages and in the OpenAPI document. */
export const exampleQuestion = 'Is slavery allowed';

/** A question in links to any index, which may not answer the example. */
export const questionPlaceholder = 'QUESTION';

// The message of a request schema completes "k is 500, but must be <message>." The message of a maximum names the unit:
// "lang has 200 <message>, but 100 is the limit."

const whole = (min: number, max: number) => {
  const expected = `a whole number from ${min} to ${max}`;
  return v.pipe(
    v.number(expected),
    v.integer(expected),
    v.minValue(min, expected),
    v.maxValue(max, expected),
  );
};

const share = v.pipe(
  v.number('a number from 0 to 1'),
  v.minValue(0, 'a number from 0 to 1'),
  v.maxValue(1, 'a number from 0 to 1'),
);

const tagExpected = 'a language tag such as "de" or "pt-BR", or several tags';
const tag = v.pipe(v.string(tagExpected), v.regex(/^[\w-]+$/, tagExpected));
const path = v.pipe(
  v.string('the path of a document or folder'),
  v.nonEmpty('the path of a document or folder'),
);
const filterExpected = 'text, a number, true, false or a list of one or more of these';
const scalar = v.union([v.string(), v.number(), v.boolean()], filterExpected);
const filterList = v.pipe(
  v.array(scalar, filterExpected),
  v.nonEmpty(filterExpected),
  v.maxLength(LIMITS.filterValues, 'values'),
);

const listOf = <Item extends v.GenericSchema<string>>(item: Item, expected: string) =>
  v.pipe(v.array(item, expected), v.nonEmpty(expected), v.maxLength(LIMITS.filterValues, 'values'));
const tags = listOf(tag, 'a list of one or more language tags');
const paths = listOf(path, 'a list of one or more paths');

const langText =
  'Returns only passages in this language. A BCP 47 tag such as `de` includes `de-AT`; `und` means unknown. Several values match any of them.';
const sourceText =
  'Returns only passages of the document with this path. A path that ends in `/` matches all documents in that folder. Several values match any of them.';

const contextSchema = v.optional(
  v.pipe(
    whole(LIMITS.context.min, LIMITS.context.max),
    v.description('Number of surrounding passages to add in `before` and `after`.'),
  ),
  LIMITS.context.default,
);

const searchFields = {
  q: v.pipe(
    v.string('text'),
    v.trim(),
    v.minLength(1),
    v.maxLength(LIMITS.questionCharacters),
    // Always true of a trimmed text. JSON Schema expresses it only as a pattern.
    v.regex(/\S/),
    v.description(
      `The question in any language, as a person would ask it. At most ${LIMITS.questionTokens} model tokens (about 1,000 characters in English).`,
    ),
  ),
  k: v.optional(
    v.pipe(whole(LIMITS.k.min, LIMITS.k.max), v.description('Maximum number of results.')),
    LIMITS.k.default,
  ),
  mode: v.optional(
    v.pipe(
      v.picklist(['hybrid', 'semantic', 'lexical'], 'one of hybrid, semantic, lexical'),
      v.description(
        '`hybrid` compares meaning and words, `semantic` only meaning, `lexical` only words (BM25).',
      ),
    ),
    'hybrid',
  ),
  minConfidence: v.optional(
    v.pipe(
      share,
      v.description(
        `Drops results below this confidence. The first result then counts as the answer. Default: returns all k results, and the first counts as the answer from ${ANSWERED} on.`,
      ),
    ),
  ),
  context: contextSchema,
  maxCharacters: v.optional(
    v.pipe(
      whole(LIMITS.answerCharacters.min, LIMITS.answerCharacters.max),
      v.description(
        'Maximum length of the answer as JSON. Drops the last results that exceed it, and counts them in `omitted`. The first result always stays, but is cut if it is too long alone.',
      ),
    ),
    LIMITS.answerCharacters.default,
  ),
  explain: v.optional(
    v.pipe(
      v.boolean('true or false'),
      v.description('Adds the parts of each score, and the evidence for its confidence.'),
    ),
    false,
  ),
  matches: v.optional(
    v.pipe(v.boolean('true or false'), v.description('Adds the matching words to the results.')),
    false,
  ),
};

/** Query parameters of `GET /search`, with numbers and booleans already read from their text. */
export const searchParameters = v.strictObject({
  ...searchFields,
  lang: v.optional(v.pipe(tags, v.description(`${langText} Repeat the parameter for several values.`))),
  source: v.optional(v.pipe(paths, v.description(`${sourceText} Repeat the parameter for several values.`))),
});

const exampleTurn = '{"role": "user", "content": "…"}';

/** Other keys of a turn, which chat interfaces may add, are ignored. */
const turn = v.object(
  {
    role: v.picklist(['user', 'assistant'], 'user or assistant'),
    content: v.pipe(v.string('text'), v.maxLength(LIMITS.turnCharacters)),
  },
  ({ received }) =>
    received === 'undefined' ? `given, as in ${exampleTurn}` : `a turn such as ${exampleTurn}`,
);

/** JSON body of `POST /search`; every value of `searchParameters` is valid here too. */
export const searchBody = v.strictObject(
  {
    ...searchFields,
    lang: v.optional(v.pipe(v.union([tag, tags], tagExpected), v.description(langText))),
    source: v.optional(
      v.pipe(v.union([path, paths], 'a path or a list of paths'), v.description(sourceText)),
    ),
    history: v.optional(
      v.pipe(
        v.array(turn, `a list of turns such as ${exampleTurn}`),
        v.maxLength(LIMITS.turns, 'turns'),
        v.description(
          'Previous turns of the conversation, oldest first, for questions such as "and in winter?" that depend on them. Only the last exchange is used. The longer the question, the less it counts. `searchedFor` in the answer shows how it was used.',
        ),
      ),
    ),
    filter: v.optional(
      v.pipe(
        v.record(
          v.string(),
          v.union([v.string(), v.number(), v.boolean(), filterList], filterExpected),
          'an object of fields and values',
        ),
        v.maxEntries(LIMITS.filterFields, 'fields'),
        v.description(
          'Returns only passages whose metadata fields have these values. A list matches any of its values. All fields must match.',
        ),
      ),
    ),
  },
  'an object',
);

// A compile error here means that the clients' type differs from the schema.
true satisfies Same<v.InferInput<typeof searchBody>, Question>;

/** Query parameters of `GET /passages/:id`. */
export const passageParameters = v.strictObject({ context: contextSchema });

/** Arguments of the MCP tool `search`. ChatGPT requires the name `query` for the question. */
export const searchArguments = v.strictObject({
  query: searchFields.q,
  k: searchFields.k,
  lang: searchBody.entries.lang,
  source: searchBody.entries.source,
  filter: searchBody.entries.filter,
  minConfidence: searchFields.minConfidence,
});

/** Arguments of the MCP tool `fetch`. */
export const fetchArguments = v.strictObject({
  id: v.pipe(v.string('the id of a search result'), v.description('The `id` of a search result.')),
  context: v.optional(
    v.pipe(
      whole(LIMITS.context.min, LIMITS.context.max),
      v.description('Number of surrounding passages to include before and after this one.'),
    ),
    2,
  ),
});
