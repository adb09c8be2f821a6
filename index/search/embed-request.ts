import type { QuestionEmbedder } from '../embedding/embedder.ts';
import type { Mode } from '../format/mode.ts';
import type { Store } from '../store/store.ts';
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
