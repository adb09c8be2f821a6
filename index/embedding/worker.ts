import { Embedder, type TextKind } from './embedder.ts';

/** A message from `parallel.ts`. */
export interface EmbedJob {
  id: number;
  text: string;
  kind?: TextKind;
}
/** The answer to it. */
export type EmbedReply = { id: number; vector: Float32Array } | { id: number; error: string };

const embedder = Embedder.open(process.argv[2]!, { verify: false });
// The reply to each job reports a model that cannot be opened.
embedder.catch(() => {});

process.on('message', async ({ id, text, kind }: EmbedJob) => {
  let reply: EmbedReply;
  try {
    reply = { id, vector: await (await embedder).embed(text, kind) };
  } catch (error) {
    reply = { id, error: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(reply);
});
process.on('disconnect', () => process.exit());
