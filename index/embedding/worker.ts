import { Embedder, type TextKind } from './embedder.ts';

/** What `parallel.ts` sends, and gets back. */
export interface EmbedJob {
  id: number;
  text: string;
  kind?: TextKind;
}
export type EmbedReply = { id: number; vector: Float32Array } | { id: number; error: string };

const embedder = Embedder.open(process.argv[2]!, { verify: false });
// A model that can't be opened is told of in the reply to each job.
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
