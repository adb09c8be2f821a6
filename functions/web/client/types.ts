import type * as v from 'valibot';
import type { answerSchema, healthSchema, passageSchema } from '../../search/answer-schemas.ts';
import type { searchBody } from '../../search/request-schemas.ts';

/** Body of `POST /search`. */
export type Question = v.InferInput<typeof searchBody>;
/** Response of a search. */
export type Answer = v.InferOutput<typeof answerSchema>;
/** One result of an answer. */
export type Result = Answer['results'][number];
/** Response of `GET /passages/{id}`. */
export type Passage = v.InferOutput<typeof passageSchema>;
/** Response of `GET /health`. */
export type Health = v.InferOutput<typeof healthSchema>;
