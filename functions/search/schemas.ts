import * as v from 'valibot';
import type { Overview } from '../../index/format/overview-types.ts';
import type { Answer, IndexInfo, PassageAnswer } from '../../index/search/answer.ts';
import { LIMITS } from '../../index/search/limits.ts';

/** Question of the examples in error sentences, in `GET /` and in the OpenAPI document. */
export const exampleQuestion = 'Is slavery allowed';

// The message of a request schema is what the value must be, for "k is 500, but must be <message>."

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

const tagExpected = 'a language tag such as "de" or "pt-BR"; for several languages, give several tags';
const tag = v.pipe(v.string(tagExpected), v.regex(/^[\w-]+$/, tagExpected));
const path = v.pipe(
  v.string('the path of a document or folder'),
  v.nonEmpty('the path of a document or folder'),
);
const filterExpected = 'text, a number, true, false or a list of one or more of these';
const scalar = v.union([v.string(), v.number(), v.boolean()], filterExpected);
const filterList = v.pipe(v.array(scalar, filterExpected), v.nonEmpty(filterExpected));

const listOf = <Item extends v.GenericSchema<string>>(item: Item, expected: string) =>
  v.pipe(v.array(item, expected), v.nonEmpty(expected));
const tags = listOf(tag, 'a list of one or more language tags');
const paths = listOf(path, 'a list of one or more paths');

const langText =
  'Only passages in this language, as a BCP 47 tag such as `de`, which includes `de-AT`; `und` for passages whose language could not be told. Several values mean any of them.';
const sourceText =
  'Only passages of this document, by its path; a path that ends in `/` means all documents in that folder. Several values mean any of them.';

const contextSchema = v.optional(
  v.pipe(
    whole(LIMITS.context.min, LIMITS.context.max),
    v.description(
      'How many neighbouring passages to add on each side of a passage, in `before` and `after`.',
    ),
  ),
  LIMITS.context.default,
);

const searchFields = {
  q: v.pipe(
    v.string('text'),
    v.trim(),
    v.minLength(1),
    v.maxLength(LIMITS.questionCharacters),
    // Always so where the text was trimmed; JSON Schema has no other words for it.
    v.regex(/\S/),
    v.description('The question, in any language, in the words you would use with a person.'),
  ),
  k: v.optional(
    v.pipe(whole(LIMITS.k.min, LIMITS.k.max), v.description('How many results at most.')),
    LIMITS.k.default,
  ),
  mode: v.optional(
    v.pipe(
      v.picklist(['hybrid', 'semantic', 'lexical'], 'one of hybrid, semantic, lexical'),
      v.description(
        'What to compare: `hybrid` uses meaning and words, `semantic` meaning alone, `lexical` words alone (BM25).',
      ),
    ),
    'hybrid',
  ),
  minConfidence: v.optional(
    v.pipe(
      share,
      v.description('Leaves out results whose confidence is lower. Without it, all k results are listed.'),
    ),
  ),
  context: contextSchema,
  maxCharacters: v.optional(
    v.pipe(
      whole(LIMITS.answerCharacters.min, LIMITS.answerCharacters.max),
      v.description(
        'How long the answer may be, as JSON. The last results that would make it longer are left out, and `omitted` counts them; the first always stays.',
      ),
    ),
    LIMITS.answerCharacters.default,
  ),
  explain: v.optional(
    v.pipe(v.boolean('true or false'), v.description('Adds to each result the parts of its score.')),
    false,
  ),
};

/** Query parameters of `GET /search`, with numbers and truth values already read from their text. */
export const searchParameters = v.strictObject({
  ...searchFields,
  lang: v.optional(v.pipe(tags, v.description(`${langText} Repeat the parameter to give several.`))),
  source: v.optional(v.pipe(paths, v.description(`${sourceText} Repeat the parameter to give several.`))),
});

const exampleTurn = '{"role": "user", "content": "…"}';

/** Other keys that chat interfaces put into a turn are passed over. */
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
        v.maxLength(LIMITS.turns, `a list of at most ${LIMITS.turns} turns: send the last ones`),
        v.description(
          'What was said before the question, oldest first, for a question such as "and in winter?" that is not clear by itself. What was said last counts, and the less the longer the question is; the answer tells in `searchedFor`.',
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
        v.description(
          'Only passages whose metadata field has this value, or one of these values. All fields must match.',
        ),
      ),
    ),
  },
  'an object',
);

/** Query parameters of `GET /passages/:id`. */
export const passageParameters = v.strictObject({ context: contextSchema });

/** Arguments of the MCP tool `search`, whose question ChatGPT sends as `query`. */
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
      v.description('How many neighbouring passages the text has before and after this one.'),
    ),
    2,
  ),
});

export const metadataSchema = v.record(
  v.string(),
  v.union([v.string(), v.number(), v.boolean(), v.array(v.string())]),
);

const neighboursSchema = v.array(v.object({ id: v.string(), text: v.string() }));

const passageFields = {
  id: v.pipe(v.string(), v.description('Unique in the index; for `/passages/{id}`, percent-encoded.')),
  text: v.string(),
  title: v.pipe(
    v.string(),
    v.description('The headings it stands under, joined by ` › `, or the title of its document.'),
  ),
  source: v.pipe(v.string(), v.description('Path of the document.')),
  url: v.optional(v.pipe(v.string(), v.description('Where to read it, if the document says so.'))),
  lang: v.pipe(v.string(), v.description('BCP 47 tag; `und` where the language could not be told.')),
  metadata: v.optional(v.pipe(metadataSchema, v.description("The document's own fields."))),
  before: v.optional(v.pipe(neighboursSchema, v.description('Passages before it, in reading order.'))),
  after: v.optional(v.pipe(neighboursSchema, v.description('Passages after it, in reading order.'))),
};

/** Answer of `GET /passages/:id`. */
export const passageSchema = v.object(passageFields);

/** One result of an answer. */
export const resultSchema = v.object({
  ...passageFields,
  score: v.pipe(v.number(), v.description('Higher is nearer.')),
  confidence: v.pipe(
    v.number(),
    v.minValue(0),
    v.maxValue(1),
    v.description('How likely it is that a passage with this score holds the answer.'),
  ),
  highlight: v.pipe(
    v.object({ text: v.string(), start: v.number(), end: v.number() }),
    v.description(
      'The sentence nearest to the question; `start` and `end` are offsets into `text` in UTF-16 code units.',
    ),
  ),
  explain: v.optional(
    v.pipe(
      v.object({ passage: v.number(), sentence: v.number(), lexical: v.number(), typical: v.number() }),
      v.description(
        'The parts of the score, which is their sum: nearness of the passage, of its best sentence, and of words, less a part of what any passage would get.',
      ),
    ),
  ),
});

/** What is searched. */
export const indexSchema = v.pipe(
  v.object({
    version: v.pipe(v.string(), v.description('Changes when, and only when, what the index holds does.')),
    passages: v.pipe(v.number(), v.integer(), v.minValue(0)),
    model: v.string(),
  }),
  v.description('The index that answered.'),
);

/** Answer of `GET /search` and `POST /search`. */
export const answerSchema = v.object({
  q: v.pipe(v.string(), v.description('The question.')),
  searchedFor: v.optional(
    v.pipe(
      v.object({
        text: v.pipe(v.string(), v.description('The question and what was said last before it.')),
        share: v.pipe(
          v.number(),
          v.minValue(0),
          v.maxValue(0.5),
          v.description('How much this text counts; the question alone counts for the rest.'),
        ),
      }),
      v.description('What was searched for besides the question alone, where the request has a `history`.'),
    ),
  ),
  answered: v.pipe(
    v.boolean(),
    v.description(
      'False where no result is certain enough: say "not found" rather than show the nearest passage.',
    ),
  ),
  results: v.pipe(v.array(resultSchema), v.description('Best first.')),
  omitted: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.description(
        'How many results were left out, as the answer would be longer than `maxCharacters`. Absent where all are listed.',
      ),
    ),
  ),
  took: v.pipe(
    v.object({ embedMs: v.number(), searchMs: v.number(), totalMs: v.number() }),
    v.description('Milliseconds for the embedding of the question, for the search, and for all of it.'),
  ),
  index: indexSchema,
});

/** Answer of `GET /health`. */
export const healthSchema = v.object({ status: v.literal('ok'), index: indexSchema });

const countedSchema = v.array(v.object({ value: v.string(), passages: v.pipe(v.number(), v.integer()) }));

/** Answer of `GET /overview`. */
export const overviewSchema = v.object({
  index: indexSchema,
  languages: v.pipe(countedSchema, v.description('Values for `lang`, most passages first.')),
  sources: v.pipe(
    countedSchema,
    v.description(
      'Values for `source`, most passages first: at most 50 documents, or folders, which end in `/`.',
    ),
  ),
  suggestions: v.pipe(
    v.array(v.object({ text: v.string(), lang: v.string() })),
    v.description('At most 6 questions to begin with, taken from the index.'),
  ),
});

/** Body of every error answer (RFC 9457). */
export const problemSchema = v.object({
  type: v.string(),
  title: v.pipe(v.string(), v.description('Name of the status.')),
  status: v.pipe(v.number(), v.integer()),
  detail: v.pipe(v.string(), v.description('What was wrong and what to change.')),
  errors: v.optional(
    v.pipe(
      v.array(v.object({ field: v.string(), detail: v.string() })),
      v.description('The parameters or fields that were wrong.'),
    ),
  ),
  requestId: v.pipe(v.string(), v.description('Names this request in the log.')),
});

// Identity, not assignability: an optional field that only one side has would pass the latter.
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

// Compile errors here mean that a schema and the search's own types differ.
true satisfies Same<v.InferOutput<typeof answerSchema>, Answer>;
true satisfies Same<v.InferOutput<typeof passageSchema>, PassageAnswer>;
true satisfies Same<v.InferOutput<typeof indexSchema>, IndexInfo>;
true satisfies Same<Omit<v.InferOutput<typeof overviewSchema>, 'index'>, Overview>;
