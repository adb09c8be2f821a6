import type { QuestionEmbedder } from '../embedding/embedder.ts';
import { type ContextualQuery, InvalidRequest } from './answer.ts';
import { LIMITS } from './limits.ts';

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
