import * as v from 'valibot';
import { ANSWERED, LIMITS } from '../../index/search/limits.ts';
import type { Question } from '../web/client/types.ts';

/** Example question in error messages and in the OpenAPI document. */
export const exampleQuestion = 'Is slavery allowed';

/** A question in links to any index, which may not answer the example. */
export const questionPlaceholder = 'QUESTION';

/** Whether two types are identical. Not assignability, which an optional field of only one side would pass. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export const described = <Schema extends v.GenericSchema>(schema: Schema, text: string) =>
  v.pipe(schema, v.description<v.InferOutput<Schema>, string>(text));

export const optional = <Schema extends v.GenericSchema>(schema: Schema, text: string) =>
  v.optional(described(schema, text));

// The message of a request schema completes "k is 500, but must be <message>." The message of a maximum names the unit:
// "lang has 200 <message>, but 100 is the limit."

/** An optional whole number in a range. */
const whole = (range: { min: number; max: number; default: number }, text: string) => {
  const { min, max } = range;
  const expected = `a whole number from ${min} to ${max}`;
  const schema = v.pipe(
    v.number(expected),
    v.integer(expected),
    v.minValue(min, expected),
    v.maxValue(max, expected),
  );
  return v.optional(described(schema, text), range.default);
};

const flag = (text: string) => v.optional(described(v.boolean('true or false'), text), false);

const shareExpected = 'a number from 0 to 1';
const share = v.pipe(v.number(shareExpected), v.minValue(0, shareExpected), v.maxValue(1, shareExpected));

const tagExpected = 'a language tag such as "de" or "pt-BR", or several tags';
const tag = v.pipe(v.string(tagExpected), v.regex(/^[\w-]+$/, tagExpected));
const pathExpected = 'the path of a document or folder';
const path = v.pipe(v.string(pathExpected), v.nonEmpty(pathExpected));
const folderExpected = 'the path of a folder, which ends in /';
const filterExpected = 'text, a number, true, false or a list of one or more of these';
const scalar = v.union([v.string(), v.number(), v.boolean()], filterExpected);

/** A list of one or more values of a filter. */
const listOf = <Item extends v.GenericSchema>(item: Item, expected: string) =>
  v.pipe(
    v.array(item, expected),
    v.nonEmpty<v.InferOutput<Item>[], string>(expected),
    v.maxLength<v.InferOutput<Item>[], number, string>(LIMITS.filterValues, 'values'),
  );
const tags = listOf(tag, 'a list of one or more language tags');
const paths = listOf(path, 'a list of one or more paths');

const langText =
  'Returns only passages in this language. A BCP 47 tag such as `de` includes `de-AT`; `und` means unknown. Several values match any of them.';
const sourceText =
  'Returns only passages of the document with this path. A path that ends in `/` matches all documents in that folder. Several values match any of them.';

const context = whole(LIMITS.context, 'Number of surrounding passages to add in `before` and `after`.');

const searchFields = {
  q: described(
    v.pipe(
      v.string('text'),
      v.trim(),
      v.minLength(1),
      v.maxLength(LIMITS.questionCharacters),
      // Always true of a trimmed text. JSON Schema expresses it only as a pattern.
      v.regex(/\S/),
    ),
    `The question in any language, as a person would ask it. At most ${LIMITS.questionTokens} model tokens (about 1,000 characters in English).`,
  ),
  k: whole(LIMITS.k, 'Maximum number of results.'),
  mode: v.optional(
    described(
      v.picklist(['hybrid', 'semantic', 'lexical'], 'one of hybrid, semantic, lexical'),
      '`hybrid` compares meaning and words, `semantic` only meaning, `lexical` only words (BM25).',
    ),
    'hybrid',
  ),
  minConfidence: optional(
    share,
    `Drops results below this confidence. The first result then counts as the answer. Default: returns all k results, and the first counts as the answer from ${ANSWERED} on.`,
  ),
  context,
  maxCharacters: whole(
    LIMITS.answerCharacters,
    'Maximum length of the answer as JSON. Drops the last results that exceed it, and counts them in `omitted`. The first result always stays, but is cut if it is too long alone.',
  ),
  explain: flag('Adds the parts of each score, and the evidence for its confidence.'),
  matches: flag('Adds the matching words to the results.'),
};

/** Query parameters of `GET /search`, with numbers and booleans already read from their text. */
export const searchParameters = v.strictObject({
  ...searchFields,
  lang: optional(tags, `${langText} Repeat the parameter for several values.`),
  source: optional(paths, `${sourceText} Repeat the parameter for several values.`),
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
export const searchBody = v.strictObject({
  ...searchFields,
  lang: optional(v.union([tag, tags], tagExpected), langText),
  source: optional(v.union([path, paths], 'a path or a list of paths'), sourceText),
  history: optional(
    v.pipe(v.array(turn, `a list of turns such as ${exampleTurn}`), v.maxLength(LIMITS.turns, 'turns')),
    'Previous turns of the conversation, oldest first, for questions such as "and in winter?" that depend on them. Only the last exchange is used. The longer the question, the less it counts. `searchedFor` in the answer shows how it was used.',
  ),
  filter: optional(
    v.pipe(
      v.record(
        v.string(),
        v.union([v.string(), v.number(), v.boolean(), listOf(scalar, filterExpected)], filterExpected),
        'an object of fields and values',
      ),
      v.maxEntries(LIMITS.filterFields, 'fields'),
    ),
    'Returns only passages whose metadata fields have these values. A list matches any of its values. All fields must match.',
  ),
});

// A compile error here means that the clients' type differs from the schema.
true satisfies Same<v.InferInput<typeof searchBody>, Question>;

/** JSON body of `POST /feedback`. An answer has no id of its own, because caches give one to many people: so it names the question. */
export const feedbackBody = v.strictObject({ q: searchFields.q, helpful: v.boolean('true or false') });
export const exampleFeedback = JSON.stringify({ q: exampleQuestion, helpful: true });

/** Query parameters of `GET /passages/:id`. */
export const passageParameters = v.strictObject({ context });

const { q: query, k, lang, source, filter, minConfidence } = searchBody.entries;

/** Arguments of the MCP tool `search`. ChatGPT requires the name `query` for the question. */
export const searchArguments = v.strictObject({ query, k, lang, source, filter, minConfidence });

/** Arguments of the MCP tool `fetch`. */
export const fetchArguments = v.strictObject({
  id: described(v.string('the id of a search result'), 'The `id` of a search result.'),
  context: whole(
    { ...LIMITS.context, default: 2 },
    'Number of surrounding passages to include before and after this one.',
  ),
});

const from = whole(
  { min: 0, max: Number.MAX_SAFE_INTEGER, default: 0 },
  'Where to continue: `next` of the result before.',
);

/** Arguments of the MCP tool `list_documents`. */
export const listArguments = v.strictObject({
  source: optional(
    v.pipe(v.string(folderExpected), v.endsWith('/', folderExpected)),
    'Lists only the documents in the folder with this path, which ends in `/`.',
  ),
  from,
});

/** Arguments of the MCP tool `read_document`. */
export const readArguments = v.strictObject({
  source: described(path, 'The `source` of a document or a search result.'),
  from,
});
