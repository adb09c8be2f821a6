import type { QuestionEmbedder } from '../embedding/embedder.ts';
import { InvalidRequest, type Store } from '../store/store.ts';
import { termsOf } from '../text/terms.ts';
import type { ContextualQuery, Mode, Turn } from './answer.ts';
import { LIMITS } from './limits.ts';
import type { QuestionTokens } from './rank.ts';

/** Up to this many terms, a question's history has as much weight as the question itself. */
const SHORT_QUESTION_TERMS = 4;
/**
 * UTF-16 code units read of the last question and of its answer. An answer's first words show its topic; the whole answer would
 * outweigh the question.
 */
const READ_CHARACTERS = { user: 200, assistant: 50 };

/**
 * Returns the second query for a question with a history: the question and the last exchange before it. Returns undefined if the
 * history has no earlier turn. Both texts are searched, and their scores added by weight, so a question that finds its answer without
 * the history still finds it. Follow-ups are short, so the history's weight falls with the question's length.
 * docs/decisions/0008 lists the measured alternatives.
 * @param history oldest first. May end with the question itself, which is ignored
 */
export function contextualQuery(question: string, history: readonly Turn[]): ContextualQuery | undefined {
  const last = history.at(-1);
  const before = last?.role === 'user' && last.content.trim() === question ? history.slice(0, -1) : history;
  const asked = before.findLastIndex(({ role }) => role === 'user');
  const exchange = before.slice(asked).slice(0, 2);
  if (exchange.length === 0) return undefined;
  const read = exchange.map(({ role, content }) => content.slice(0, READ_CHARACTERS[role]).toWellFormed());
  const weight = Math.min(1, SHORT_QUESTION_TERMS / termsOf(question).length);
  return { text: [question, ...read].join(' '), share: weight / (1 + weight) };
}

/**
 * Returns the weighted mean of two vectors. It is not scaled to length 1: its scores are then the weighted mean of both vectors'
 * scores, for which confidences were calibrated.
 * @param share weight of the second vector
 */
export function mixVectors(question: Float32Array, inContext: Float32Array, share: number): Float32Array {
  return question.map((value, i) => (1 - share) * value + share * inContext[i]!);
}

/** Token states, and the weight of each. */
interface WeightedStates {
  states: Float32Array;
  weights: Float32Array;
}

/**
 * Joins the token states of two queries. The similarity of the joined states is the weighted mean of both similarities.
 * @param share weight of the second query
 */
function mixTokens(question: WeightedStates, inContext: WeightedStates, share: number): WeightedStates {
  const states = new Float32Array(question.states.length + inContext.states.length);
  states.set(question.states);
  states.set(inContext.states, question.states.length);
  const weights = Float32Array.from([
    ...question.weights.map((weight) => (1 - share) * weight),
    ...inContext.weights.map((weight) => share * weight),
  ]);
  return { states, weights };
}

/**
 * Returns the weighted mean of two queries' BM25 shares, by ordinal.
 * @param share weight of the second query
 */
export function mixShares(
  question: ReadonlyMap<number, number>,
  inContext: ReadonlyMap<number, number>,
  share: number,
): Map<number, number> {
  const mixed = new Map(Array.from(inContext, ([ordinal, value]) => [ordinal, share * value]));
  for (const [ordinal, value] of question)
    mixed.set(ordinal, (mixed.get(ordinal) ?? 0) + (1 - share) * value);
  return mixed;
}

/**
 * Limits the embedded texts of one request (the question, and the question with its context) to `LIMITS.questionTokens` in total.
 * Characters do not bound the encoder's work, because one character can become eighteen tokens.
 * @returns the context with its history truncated to the remaining tokens. Undefined if no tokens remain
 * @throws InvalidRequest for a question with more tokens
 */
export function limitTokens(
  q: string,
  context: ContextualQuery | undefined,
  embedder: QuestionEmbedder,
): ContextualQuery | undefined {
  const limit = LIMITS.questionTokens;
  const own = embedder.tokens(q, 'query');
  if (own > limit) {
    throw new InvalidRequest(
      `The question has ${own.toLocaleString('en')} tokens, but ${limit} is the limit. Ask a shorter question.`,
    );
  }
  if (!context) return undefined;
  const left = limit - 2 * own;
  let { text } = context;
  for (;;) {
    const history = embedder.tokens(text, 'query') - own;
    if (history <= left) return { ...context, text };
    const kept = Math.floor(((text.length - q.length) * Math.max(0, left)) / history);
    // One character is the space between both.
    if (kept < 2) return undefined;
    text = text.slice(0, q.length + kept).toWellFormed();
  }
}

/** A question's vector, and what it is searched with: mixed with its context, if it has one. */
export interface EmbeddedRequest {
  /** Of the question alone. Undefined if it is not needed. */
  own?: Float32Array;
  /** Undefined in lexical mode. */
  vector?: Float32Array;
  /** Undefined for an index without token states. */
  questionTokens?: QuestionTokens;
}

/**
 * Embeds a question, and the same question with its context.
 * @param context undefined without a history
 */
export async function embedRequest(
  embedder: QuestionEmbedder,
  store: Store,
  mode: Mode,
  q: string,
  context: ContextualQuery | undefined,
): Promise<EmbeddedRequest> {
  if (mode === 'lexical') {
    const needsVector = embedder.model.calibration.asks !== undefined;
    return needsVector ? { own: await embedder.embed(q, 'query') } : {};
  }
  const { byToken } = embedder;
  if (store.manifest.model.tokens === null || !byToken) {
    const own = await embedder.embed(q, 'query');
    if (!context) return { own, vector: own };
    const inContext = await embedder.embed(context.text, 'query');
    return { own, vector: mixVectors(own, inContext, context.share) };
  }
  const { vector: own, states, weights } = await byToken.question(q);
  const compare = {
    match: byToken.match,
    codes: (ordinals: readonly number[]) => store.tokenCodes(ordinals),
  };
  if (!context) return { own, vector: own, questionTokens: { states, weights, ...compare } };
  const inContext = await byToken.question(context.text);
  return {
    own,
    vector: mixVectors(own, inContext.vector, context.share),
    questionTokens: { ...mixTokens({ states, weights }, inContext, context.share), ...compare },
  };
}
