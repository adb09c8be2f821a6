import type { Builder } from './builder.ts';
import { type ConfidenceScores, confidenceScores } from './calibration.ts';
import { nearTopic, type Outcome, unanswerable } from './outcomes.ts';
import type { EvaluationSet, Question } from './set.ts';

/** Across languages, every third question is asked. Each set has several questions per passage, so this samples every article. */
const STRIDE = 3;

/** How questions become unanswerable: without every second article, or without only the passages that answer them. */
const PROTOCOLS = { articlesOut: unanswerable, nearTopic };
const TITLES = { articlesOut: 'articles out', nearTopic: 'near topic' };
type Protocol = keyof typeof PROTOCOLS;

/** Scores of questions on the passages of their own set, and of questions of every other set. */
export interface ProtocolScores {
  within: ConfidenceScores;
  across?: ConfidenceScores;
}

export type ConfidenceReport = Record<Protocol, ProtocolScores>;

/**
 * Scores the confidence of the sets' questions, of which about half have no answer in the index.
 * @param cross also ask a third of the questions of each set on the passages of every other set
 */
export async function evaluateConfidence(
  builder: Builder,
  sets: readonly EvaluationSet[],
  cross: boolean,
): Promise<ConfidenceReport> {
  const evaluate = async (protocol: Protocol): Promise<ProtocolScores> => {
    const within: Outcome[] = [];
    const across: Outcome[] = [];
    for (const set of sets) {
      const others = cross ? sets.filter((other) => other !== set) : [];
      const foreign = others.flatMap(({ queries }) => queries.filter((_, i) => i % STRIDE === 0));
      const own = new Set<Question>(set.queries);
      for (const outcome of await PROTOCOLS[protocol](builder, set, [...set.queries, ...foreign]))
        (own.has(outcome.question) ? within : across).push(outcome);
    }
    return {
      within: confidenceScores(within),
      ...(across.length > 0 && { across: confidenceScores(across) }),
    };
  };
  return { articlesOut: await evaluate('articlesOut'), nearTopic: await evaluate('nearTopic') };
}

/** The scores of a report by title, in the order of their columns. */
export function scoresByTitle(report: ConfidenceReport): [title: string, scores: ConfidenceScores][] {
  const protocols = Object.keys(TITLES) as Protocol[];
  return protocols.flatMap((protocol) =>
    Object.entries(report[protocol]).map(([kind, scores]): [string, ConfidenceScores] => [
      `${kind}, ${TITLES[protocol]}`,
      scores,
    ]),
  );
}
