import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hash48 } from '../../../format/compact.ts';
import { readSections } from '../../../format/container.ts';
import { ContainerFile } from '../../../format/container-file.ts';
import { GRAPH } from '../../../format/graph-file.ts';
import { LANGUAGES } from '../../../format/languages-file.ts';
import { KEYS, Lookup } from '../../../format/lookup-file.ts';
import { type Manifest, readManifest } from '../../../format/manifest.ts';
import type { Passage } from '../../../format/passage.ts';
import { Passages } from '../../../format/passages-file.ts';
import { SENTENCES } from '../../../format/sentences-file.ts';
import { PART, Tokens } from '../../../format/tokens-file.ts';
import { lengthOf } from '../../../format/vectors.ts';
import { type RowContent, sentenceBytes } from '../row.ts';

/** The `group` of passages in S3 Vectors, from the id of the group's first passage. It does not change when ordinals do. */
function groupNumber(id: string): number {
  return hash48(createHash('sha256').update(id).digest());
}

/** A local index, read passage by passage. All files are open, as a build may replace the folder. All methods throw if the index is damaged. */
export class LocalRows {
  readonly manifest: Manifest;
  /** The vectors of typical passages, as in `languages.bin`. */
  readonly typicalVectors: Uint8Array;
  /** The record of the overview, as JSON. */
  readonly overview: Buffer;
  readonly #passages: Passages;
  readonly #graph: ContainerFile;
  readonly #direction: Float32Array;
  readonly #sentences: ContainerFile;
  /** For each passage the number of its first sentence, then the number of all. */
  readonly #firstSentences: Buffer;
  readonly #tokens: Tokens | undefined;

  /** @throws if the folder is not an index, or is damaged: compares all checksums */
  constructor(folder: string) {
    const file = (name: string) => join(folder, name);
    this.manifest = readManifest(folder, undefined, true);
    const { dimensions, model } = this.manifest;
    this.#passages = new Passages(file('passages.bin'));
    this.#graph = new ContainerFile(file('graph.bin'), GRAPH);
    this.#direction = new Float32Array(dimensions);
    this.#graph.fill(new Uint8Array(this.#direction.buffer), 1, 0);
    this.#sentences = new ContainerFile(file('sentences.bin'), SENTENCES);
    this.#firstSentences = this.#sentences.read(0, 0, this.#sentences.length(0));
    const languages = file('languages.bin');
    this.typicalVectors = readSections(readFileSync(languages), LANGUAGES, languages)[1]!;
    const lookup = new Lookup(file('lookup.bin'), this.count);
    const overview = lookup.get(KEYS.overview);
    lookup.close();
    if (!overview) throw lookup.damaged('the record of the overview is missing');
    this.overview = overview;
    if (model.tokens !== null) this.#tokens = new Tokens(file('tokens.bin'), dimensions / PART, this.count);
  }

  get count(): number {
    return this.manifest.counts.passages;
  }

  passage(ordinal: number): Passage {
    const passage = this.#passages.get(ordinal);
    if (passage.group === undefined) return passage;
    return { ...passage, group: groupNumber(this.#passages.get(passage.group).id) };
  }

  /** Everything of a row but the vector. */
  row(ordinal: number): RowContent {
    const { dimensions } = this.manifest;
    const size = sentenceBytes(dimensions);
    const [first, end] = [0, 4].map((at) => this.#firstSentences.readUInt32LE(4 * ordinal + at));
    const sentences = new Uint8Array((end! - first!) * size);
    this.#sentences.fill(sentences, 1, first! * size);
    const { counts: [tokens = 0] = [], codes: blocks = new Uint8Array(0) } =
      this.#tokens?.read([ordinal]) ?? {};
    return { passage: this.passage(ordinal), sentences, tokens, blocks };
  }

  /** The vector of a passage, of length 1. */
  vector(ordinal: number): Float32Array {
    const { dimensions } = this.manifest;
    const factors = new Float32Array(2);
    const numbers = new Int8Array(dimensions);
    this.#graph.fill(new Uint8Array(factors.buffer), 2, 8 * ordinal);
    this.#graph.fill(new Uint8Array(numbers.buffer), 3, dimensions * ordinal);
    const [along, scale] = factors as unknown as [number, number];
    const vector = Float32Array.from(numbers, (value, i) => along * this.#direction[i]! + scale * value);
    const length = lengthOf(vector);
    return length > 0 ? vector.map((value) => value / length) : vector;
  }

  close(): void {
    for (const file of [this.#passages, this.#graph, this.#sentences, this.#tokens]) file?.close();
  }
}
