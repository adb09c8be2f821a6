import { Embedder } from '../../index/embedding/embedder.ts';

/** Opens a compiled model as the function does, and embeds a first question. */
export async function run(model: string): Promise<void> {
  const embedder = await Embedder.open(model, { verify: false });
  await embedder.embed('May I be imprisoned without a trial?', 'query');
}
