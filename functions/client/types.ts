import type * as v from 'valibot';
import type { answerSchema, healthSchema, passageSchema, searchBody } from '../search/schemas.ts';

/** What `POST /search` takes. */
export type Question = v.InferInput<typeof searchBody>;
/** What a search answers with. */
export type Answer = v.InferOutput<typeof answerSchema>;
/** One result of an answer. */
export type Result = Answer['results'][number];
/** What `GET /passages/{id}` answers with. */
export type Passage = v.InferOutput<typeof passageSchema>;
/** What `GET /health` answers with. */
export type Health = v.InferOutput<typeof healthSchema>;
