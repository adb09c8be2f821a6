import type { QuestionEmbedder } from '../embedding/embedder.ts';
import type { Mode } from '../format/mode.ts';
import type { Tokens } from '../format/tokens-file.ts';
import type { ContextualQuery } from './answer.ts';
import { mixTokens, mixVectors } from './history.ts';
import type { QuestionTokens } from './rank.ts';

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
 * @param tokens of the index; undefined in an index without token states
 * @param context undefined without a history
 */
export async function embedRequest(
  embedder: QuestionEmbedder,
  tokens: Tokens | undefined,
  mode: Mode,
  q: string,
  context: ContextualQuery | undefined,
): Promise<EmbeddedRequest> {
  if (mode === 'lexical') {
    const needsVector = embedder.model.calibration.asks !== undefined;
    return needsVector ? { own: await embedder.embed(q, 'query') } : {};
  }
  const { byToken } = embedder;
  if (!tokens || !byToken) {
    const own = await embedder.embed(q, 'query');
    if (!context) return { own, vector: own };
    const inContext = await embedder.embed(context.text, 'query');
    return { own, vector: mixVectors(own, inContext, context.share) };
  }
  const { vector: own, states, weights } = await byToken.question(q);
  const { match } = byToken;
  if (!context) return { own, vector: own, questionTokens: { states, weights, match, tokens } };
  const inContext = await byToken.question(context.text);
  return {
    own,
    vector: mixVectors(own, inContext.vector, context.share),
    questionTokens: { ...mixTokens({ states, weights }, inContext, context.share), match, tokens },
  };
}
