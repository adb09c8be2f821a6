// Embedding alone, for `timed.mjs`: without search, answer and the cache of repeated questions.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadLibrary } from '#native';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { PackedEncoder } from '../../../index/embedding/encoder.ts';
import { RowFile } from '../../../index/format/rows-file.ts';

/** `kernel` is one of `EngineLibrary.kernels`; the fastest by default. */
const { model, kernel } = JSON.parse(process.argv[3]!) as { model: string; kernel?: string };

const embedder = await Embedder.open(model, { verify: false });
const rows = new RowFile(join(model, 'rows.bin'));
const path = join(model, 'encoder.bin');
const encoder = new PackedEncoder(path, readFileSync(path), await loadLibrary(), { kernel });

export function embed(text: string): Promise<unknown> {
  return encoder.run(rows.sum(embedder.ids(text, 'query')));
}
