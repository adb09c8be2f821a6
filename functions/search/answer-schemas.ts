import * as v from 'valibot';
import type { Overview } from '../../index/format/overview-types.ts';
import type { Answer, IndexInfo, PassageAnswer } from '../../index/search/answer.ts';
import type { Health } from '../web/client/types.ts';
import { described, optional, type Same } from './request-schemas.ts';

/** A text or a number with a description for callers. */
export const string = (about: string) => described(v.string(), about);
const number = (about: string) => described(v.number(), about);
const count = v.pipe(v.number(), v.integer());
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

export const metadata = v.record(
  v.string(),
  v.union([v.string(), v.number(), v.boolean(), v.array(v.string())]),
);
const otherPlace = v.object({
  id: v.string(),
  title: v.string(),
  source: v.string(),
  url: v.optional(v.string()),
});
const neighbours = v.array(v.object({ id: v.string(), text: v.string() }));

const passageFields = {
  id: string('Unique in the index. Percent-encode it in `/passages/{id}`.'),
  text: v.string(),
  title: string('Headings above the passage, joined by ` › `, or the title of its document.'),
  source: string('Path of the document.'),
  url: optional(v.string(), 'URL of the document, if it has one. It opens the place of the passage.'),
  anchor: optional(v.string(), 'The place in the document: a heading such as `install`, `page=3` or `t=12`.'),
  lang: string('BCP 47 language tag; `und` if the language is unknown.'),
  metadata: optional(metadata, "The document's metadata."),
  alsoIn: optional(
    v.array(otherPlace),
    'Other passages with the same or nearly the same text, at most 10. Absent if there are none.',
  ),
  before: optional(neighbours, 'Preceding passages, in reading order.'),
  after: optional(neighbours, 'Following passages, in reading order.'),
};

/** Answer of `GET /passages/:id`. */
export const passageSchema = v.object(passageFields);

const explanation = v.object({
  passage: v.number(),
  sentence: v.number(),
  lexical: v.number(),
  tokens: v.number(),
  typical: v.number(),
});

const evidence = v.object({
  passageMargin: number("How far the passage's similarity exceeds the mean of the candidates."),
  tokenMargin: number("The same for the similarity of the question's tokens."),
  sentence: number('Similarity of the best sentence.'),
  lexical: number('The part of the score for words.'),
  words: number("Whether the question's words occur in the index: the highest share, 0 to 1."),
  unmatched: described(share, "The share of the question's tokens that the passage has nothing similar to."),
  matchable: number("How well the best candidate for each of the question's tokens matches it."),
  length: number('The logarithm of the number of informative tokens in the question.'),
});

const place = v.tuple([count, count]);
const match = v.object({
  query: described(place, 'Start and end of the words in `q`.'),
  text: described(place, 'Start and end of the words in `text`.'),
  weight: described(share, "The match's share of the score."),
});

export const resultSchema = v.object({
  ...passageFields,
  score: number('Higher is better.'),
  confidence: described(share, 'Probability that the passage answers the question.'),
  highlight: described(
    v.object({ text: v.string(), start: v.number(), end: v.number() }),
    'The best matching sentence. `start` and `end` are offsets into `text` in UTF-16 code units.',
  ),
  explain: optional(
    explanation,
    'Parts of the score, which is their sum: similarity of the passage, of its best sentence, of words and of tokens, and a deduction for what any passage would score.',
  ),
  evidence: optional(
    evidence,
    'What the confidence was computed from. Only with `explain`. All 0 in mode `lexical`.',
  ),
  matches: optional(
    v.array(match),
    'Words of the question and the words of `text` that match them, in any language, best first. Offsets are in UTF-16 code units.',
  ),
});

export const indexSchema = described(
  v.object({
    version: string('Changes only if the contents of the index change.'),
    passages: v.pipe(count, v.minValue(0)),
    model: v.string(),
  }),
  'The index that answered.',
);

const searchedFor = v.object({
  text: string('The question and the last exchange before it.'),
  share: described(
    v.pipe(v.number(), v.minValue(0), v.maxValue(0.5)),
    'Weight of this text. The question alone has the rest.',
  ),
});

/** Answer of `GET /search` and `POST /search`. */
export const answerSchema = v.object({
  q: string('The question.'),
  searchedFor: optional(
    searchedFor,
    'Text that was searched for besides the question. Absent if no `history` was used.',
  ),
  verdict: described(
    v.picklist(['answered', 'possible', 'none']),
    'Whether the first result answers the question: `answered` probably, `possible` perhaps, `none` probably not. With `possible`, say that you are not sure. With `none`, say that no answer was found.',
  ),
  answered: described(v.boolean(), 'True if `verdict` is `answered`.'),
  results: described(v.array(resultSchema), 'Best first.'),
  omitted: optional(
    v.pipe(count, v.minValue(1)),
    'Number of results that were dropped because of `maxCharacters`. Absent if none were.',
  ),
  took: described(
    v.object({ embedMs: v.number(), searchMs: v.number(), totalMs: v.number() }),
    'Milliseconds for embedding the question, for searching, and in total.',
  ),
  index: indexSchema,
});

/** Answer of `GET /health`. */
export const healthSchema = v.object({ status: v.literal('ok'), index: indexSchema });

const counted = v.array(v.object({ value: v.string(), passages: count }));

/** Answer of `GET /overview`. */
export const overviewSchema = v.object({
  index: indexSchema,
  documents: count,
  languages: described(counted, 'Values for `lang`, most passages first.'),
  sources: described(
    v.array(
      v.object({
        value: v.string(),
        passages: count,
        title: optional(v.string(), 'Title of a document, unless another one has the same.'),
      }),
    ),
    'Values for `source`, most passages first. At most 50 documents, or folders (ending in `/`).',
  ),
  suggestions: described(
    v.array(v.object({ text: v.string(), lang: v.string() })),
    'At most 6 suggested questions, taken from the index.',
  ),
});

/** Answer of `POST /feedback`. */
export const feedbackSchema = v.object({ helpful: v.boolean() });

/** Body of every error answer (RFC 9457). */
export const problemSchema = v.object({
  type: v.string(),
  title: string('Name of the status.'),
  status: count,
  detail: string('What is wrong and what to change.'),
  errors: optional(
    v.array(v.object({ field: v.string(), detail: v.string() })),
    'The wrong parameters or fields.',
  ),
  requestId: string('Identifies this request in the log.'),
  resource_metadata: optional(v.string(), 'URL of the metadata that names where to get a token (RFC 9728).'),
});

// Compile errors here mean that a schema differs from the types of the search.
true satisfies Same<v.InferOutput<typeof answerSchema>, Answer>;
true satisfies Same<v.InferOutput<typeof passageSchema>, PassageAnswer>;
true satisfies Same<v.InferOutput<typeof indexSchema>, IndexInfo>;
true satisfies Same<v.InferOutput<typeof healthSchema>, Health>;
true satisfies Same<Omit<v.InferOutput<typeof overviewSchema>, 'index'>, Overview>;
