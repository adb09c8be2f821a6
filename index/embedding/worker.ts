import { messageOf } from '../kit/errors.ts';
import { Embedder, type TextKind } from './embedder.ts';
import type { EmbeddedPassage, EmbeddedQuestion } from './token-embedder.ts';

/** A message from `parallel.ts`. `byToken` asks for token states too. */
export interface EmbedJob {
  id: number;
  text: string;
  kind?: TextKind;
  byToken: boolean;
}

/** The result of a job: a vector, or with `byToken` the kind's result. */
export type Embedded = Float32Array | EmbeddedPassage | EmbeddedQuestion;

/** The answer to it. */
export type EmbedReply = { id: number; embedded: Embedded } | { id: number; error: string };

const embedder = Embedder.open(process.argv[2]!, { verify: false });
// The reply to each job reports a model that cannot be opened.
embedder.catch(() => {});

async function embed({ text, kind, byToken }: EmbedJob): Promise<Embedded> {
  const { byToken: tokens } = await embedder;
  if (!byToken || !tokens) return (await embedder).embed(text, kind);
  return kind === 'query' ? tokens.question(text) : tokens.passage(text);
}

process.on('message', async (job: EmbedJob) => {
  let reply: EmbedReply;
  try {
    reply = { id: job.id, embedded: await embed(job) };
  } catch (error) {
    reply = { id: job.id, error: messageOf(error) };
  }
  // The parent may have ended meanwhile. Without a callback, Node would throw.
  process.send?.(reply, () => {});
});
process.on('disconnect', () => process.exit());
// Ctrl-C in a terminal reaches this process too. Its end would look like a failure to the parent, which ends both.
process.on('SIGINT', () => {});
