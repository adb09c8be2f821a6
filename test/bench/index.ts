import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TextEmbedder } from '../../index/embedding/embedder.ts';
import { type Passage, withTitle } from '../../index/format/passage.ts';
import { type CountTokens, heldOutQuestions, passagesOf } from './corpus.ts';
import { PASSAGES, type Prepared, withCachedVectors } from './prepare.ts';
import { type Embedded, type Question, recallAt10 } from './recall.ts';
import type { Section } from './report.ts';

/** Measures an index's bytes a passage and its graph's recall. */
export async function index(prepared: Prepared): Promise<Section> {
  const { model, documents, countTokens, polyseek } = prepared;
  const recall = await withCachedVectors(model, async (embedder) => {
    const passages = passagesOf(documents, countTokens);
    const questions = await embeddedQuestions(embedder, countTokens);
    return recallAt10(polyseek, await embedded(embedder, passages), questions);
  });
  const files = fileSizes(join(polyseek, 'index'));
  const bytes = indexBytes(files) / PASSAGES;
  return {
    name: 'index',
    figures: [
      { name: 'index bytes a passage, without the text', value: bytes, unit: 'bytes', goal: 9000 },
      {
        name: 'the same without token states',
        value: bytes - files['tokens.bin']! / PASSAGES,
        unit: 'bytes',
        goal: 2500,
      },
      { name: 'recall@10 against exact search', value: recall, unit: 'recall', goal: 0.99 },
    ],
    tables: [
      {
        title: `Index of ${PASSAGES} passages`,
        head: ['file', 'bytes a passage'],
        rows: [
          ...Object.entries(files).map(([name, size]) => [name, (size / PASSAGES).toFixed(0)]),
          ['all but the text (passages.bin)', bytes.toFixed(0)],
        ],
      },
    ],
    measured: { passages: PASSAGES, files, recall },
  };
}

/** Returns the bytes of each file of an index. */
export function fileSizes(folder: string): Record<string, number> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, statSync(join(folder, name)).size]),
  );
}

/** Returns the bytes of an index without the passages' text. */
export function indexBytes(files: Record<string, number>): number {
  return Object.entries(files).reduce(
    (sum, [name, size]) => sum + (name.startsWith('passages') ? 0 : size),
    0,
  );
}

/** Returns the held-out questions with their vectors. */
export async function embeddedQuestions(
  embedder: TextEmbedder,
  countTokens: CountTokens,
): Promise<Question[]> {
  const texts = await heldOutQuestions(countTokens);
  return Promise.all(texts.map(async (text) => ({ text, vector: await embedder.embed(text, 'query') })));
}

/** Returns passages with the vectors that a build gives them. */
export function embedded(
  embedder: TextEmbedder,
  passages: readonly Pick<Passage, 'id' | 'title' | 'text' | 'source'>[],
): Promise<Embedded[]> {
  return Promise.all(
    passages.map(async (passage) => ({
      id: passage.id,
      vector: await embedder.embed(withTitle(passage).text, 'passage'),
    })),
  );
}
