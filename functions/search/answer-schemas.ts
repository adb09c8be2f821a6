import * as v from 'valibot';
import type { Overview } from '../../index/format/overview-types.ts';
import type { Answer, IndexInfo, PassageAnswer } from '../../index/search/answer.ts';
import type { Health } from '../web/client/types.ts';

export const metadataSchema = v.record(
  v.string(),
  v.union([v.string(), v.number(), v.boolean(), v.array(v.string())]),
);

const neighboursSchema = v.array(v.object({ id: v.string(), text: v.string() }));

const alsoInSchema = v.array(
  v.object({ id: v.string(), title: v.string(), source: v.string(), url: v.optional(v.string()) }),
);

const passageFields = {
  id: v.pipe(v.string(), v.description('Unique in the index. Percent-encode it in `/passages/{id}`.')),
  text: v.string(),
  title: v.pipe(
    v.string(),
    v.description('Headings above the passage, joined by ` › `, or the title of its document.'),
  ),
  source: v.pipe(v.string(), v.description('Path of the document.')),
  url: v.optional(
    v.pipe(
      v.string(),
      v.description('URL of the document, if it has one. It opens the place of the passage.'),
    ),
  ),
  anchor: v.optional(
    v.pipe(
      v.string(),
      v.description('The place in the document: a heading such as `install`, `page=3` or `t=12`.'),
    ),
  ),
  lang: v.pipe(v.string(), v.description('BCP 47 language tag; `und` if the language is unknown.')),
  metadata: v.optional(v.pipe(metadataSchema, v.description("The document's metadata."))),
  alsoIn: v.optional(
    v.pipe(
      alsoInSchema,
      v.description(
        'Other passages with the same or nearly the same text, at most 10. Absent if there are none.',
      ),
    ),
  ),
  before: v.optional(v.pipe(neighboursSchema, v.description('Preceding passages, in reading order.'))),
  after: v.optional(v.pipe(neighboursSchema, v.description('Following passages, in reading order.'))),
};

const placeSchema = v.tuple([v.pipe(v.number(), v.integer()), v.pipe(v.number(), v.integer())]);

/** Answer of `GET /passages/:id`. */
export const passageSchema = v.object(passageFields);

/** One result of an answer. */
export const resultSchema = v.object({
  ...passageFields,
  score: v.pipe(v.number(), v.description('Higher is better.')),
  confidence: v.pipe(
    v.number(),
    v.minValue(0),
    v.maxValue(1),
    v.description('Probability that the passage answers the question.'),
  ),
  highlight: v.pipe(
    v.object({ text: v.string(), start: v.number(), end: v.number() }),
    v.description(
      'The best matching sentence. `start` and `end` are offsets into `text` in UTF-16 code units.',
    ),
  ),
  explain: v.optional(
    v.pipe(
      v.object({
        passage: v.number(),
        sentence: v.number(),
        lexical: v.number(),
        tokens: v.number(),
        typical: v.number(),
      }),
      v.description(
        'Parts of the score, which is their sum: similarity of the passage, of its best sentence, of words and of tokens, and a deduction for what any passage would score.',
      ),
    ),
  ),
  evidence: v.optional(
    v.pipe(
      v.object({
        standing: v.pipe(
          v.number(),
          v.description('Standard deviations by which the score exceeds the mean of the candidates.'),
        ),
        margin: v.pipe(v.number(), v.description('How far the score exceeds the mean of the candidates.')),
        lacking: v.pipe(
          v.number(),
          v.description("How much better the question's words match in other candidates."),
        ),
        sentence: v.pipe(v.number(), v.description('Similarity of the best sentence.')),
        words: v.pipe(
          v.number(),
          v.description("Whether the question's words occur in the index: the highest share, 0 to 1."),
        ),
        typical: v.pipe(
          v.number(),
          v.description("The question's similarity to a typical passage of the index."),
        ),
      }),
      v.description('What the confidence was computed from. Only with `explain`. All 0 in mode `lexical`.'),
    ),
  ),
  matches: v.optional(
    v.pipe(
      v.array(
        v.object({
          query: v.pipe(placeSchema, v.description('Start and end of the words in `q`.')),
          text: v.pipe(placeSchema, v.description('Start and end of the words in `text`.')),
          weight: v.pipe(
            v.number(),
            v.minValue(0),
            v.maxValue(1),
            v.description("The match's share of the score."),
          ),
        }),
      ),
      v.description(
        'Words of the question and the words of `text` that match them, in any language, best first. Offsets are in UTF-16 code units.',
      ),
    ),
  ),
});

/** The index of an answer. */
export const indexSchema = v.pipe(
  v.object({
    version: v.pipe(v.string(), v.description('Changes only if the contents of the index change.')),
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
        text: v.pipe(v.string(), v.description('The question and the last exchange before it.')),
        share: v.pipe(
          v.number(),
          v.minValue(0),
          v.maxValue(0.5),
          v.description('Weight of this text. The question alone has the rest.'),
        ),
      }),
      v.description('Text that was searched for besides the question. Absent if no `history` was used.'),
    ),
  ),
  verdict: v.pipe(
    v.picklist(['answered', 'possible', 'none']),
    v.description(
      'Whether the first result answers the question: `answered` probably, `possible` perhaps, `none` probably not. With `possible`, say that you are not sure. With `none`, say that no answer was found.',
    ),
  ),
  answered: v.pipe(v.boolean(), v.description('True if `verdict` is `answered`.')),
  results: v.pipe(v.array(resultSchema), v.description('Best first.')),
  omitted: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.description('Number of results that were dropped because of `maxCharacters`. Absent if none were.'),
    ),
  ),
  took: v.pipe(
    v.object({ embedMs: v.number(), searchMs: v.number(), totalMs: v.number() }),
    v.description('Milliseconds for embedding the question, for searching, and in total.'),
  ),
  index: indexSchema,
});

/** Answer of `GET /health`. */
export const healthSchema = v.object({ status: v.literal('ok'), index: indexSchema });

const countedSchema = v.array(v.object({ value: v.string(), passages: v.pipe(v.number(), v.integer()) }));

/** Answer of `GET /overview`. */
export const overviewSchema = v.object({
  index: indexSchema,
  documents: v.pipe(v.number(), v.integer()),
  languages: v.pipe(countedSchema, v.description('Values for `lang`, most passages first.')),
  sources: v.pipe(
    countedSchema,
    v.description(
      'Values for `source`, most passages first. At most 50 documents, or folders (ending in `/`).',
    ),
  ),
  suggestions: v.pipe(
    v.array(v.object({ text: v.string(), lang: v.string() })),
    v.description('At most 6 suggested questions, taken from the index.'),
  ),
});

/** Body of every error answer (RFC 9457). */
export const problemSchema = v.object({
  type: v.string(),
  title: v.pipe(v.string(), v.description('Name of the status.')),
  status: v.pipe(v.number(), v.integer()),
  detail: v.pipe(v.string(), v.description('What is wrong and what to change.')),
  errors: v.optional(
    v.pipe(
      v.array(v.object({ field: v.string(), detail: v.string() })),
      v.description('The wrong parameters or fields.'),
    ),
  ),
  requestId: v.pipe(v.string(), v.description('Identifies this request in the log.')),
  resource_metadata: v.optional(
    v.pipe(v.string(), v.description('URL of the metadata that names where to get a token (RFC 9728).')),
  ),
});

/** Whether two types are identical. Not assignability, which an optional field of only one side would pass. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

// Compile errors here mean that a schema differs from the types of the search.
true satisfies Same<v.InferOutput<typeof answerSchema>, Answer>;
true satisfies Same<v.InferOutput<typeof passageSchema>, PassageAnswer>;
true satisfies Same<v.InferOutput<typeof indexSchema>, IndexInfo>;
true satisfies Same<v.InferOutput<typeof healthSchema>, Health>;
true satisfies Same<Omit<v.InferOutput<typeof overviewSchema>, 'index'>, Overview>;
