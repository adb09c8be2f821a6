import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { hash48 } from '../../../format/compact.ts';
import { ContainerFile } from '../../../format/container-file.ts';
import { GRAPH } from '../../../format/graph-file.ts';
import { LANGUAGES } from '../../../format/languages-file.ts';
import { KEYS, Lookup } from '../../../format/lookup-file.ts';
import { type Manifest, readManifest } from '../../../format/manifest.ts';
import type { Passage } from '../../../format/passage.ts';
import { Passages } from '../../../format/passages-file.ts';
import { SENTENCES } from '../../../format/sentences-file.ts';
import { blockBytes, PART, TOKENS } from '../../../format/tokens-file.ts';
import { lengthOf } from '../../../format/vectors.ts';
import { type RowContent, sentenceBytes } from '../row.ts';

/** The `group` of passages in S3 Vectors, from the id of the group's first passage. It does not change when ordinals do. */
export function groupNumber(id: string): number {
  return hash48(createHash('sha256').update(id).digest());
}

/** A local index, read passage by passage. All files are open, as a build may replace the folder. All methods throw if the index is damaged. */
export class LocalRows {
  readonly manifest: Manifest;
  readonly #passages: Passages;
  readonly #graph: ContainerFile;
  readonly #direction: Float32Array;
  readonly #sentences: ContainerFile;
  readonly #languages: ContainerFile;
  readonly #lookup: Lookup;
  /** For each passage the number of its first sentence, then the number of all. */
  readonly #firstSentences: Buffer;
  readonly #tokens: { file: ContainerFile; firsts: Buffer; counts: Buffer } | undefined;

  /** @throws if the folder is not an index, or damaged: compares all checksums */
  constructor(folder: string) {
    const file = (name: string) => join(folder, name);
    this.manifest = readManifest(folder, undefined, true);
    this.#passages = new Passages(file('passages.bin'));
    this.#graph = new ContainerFile(file('graph.bin'), GRAPH);
    this.#direction = new Float32Array(this.manifest.dimensions);
    this.#graph.fill(new Uint8Array(this.#direction.buffer), 1, 0);
    this.#sentences = new ContainerFile(file('sentences.bin'), SENTENCES);
    this.#languages = new ContainerFile(file('languages.bin'), LANGUAGES);
    this.#lookup = new Lookup(file('lookup.bin'), this.count);
    this.#firstSentences = whole(this.#sentences, 0);
    if (this.manifest.model.tokens === null) return;
    const tokens = new ContainerFile(file('tokens.bin'), TOKENS);
    this.#tokens = { file: tokens, firsts: whole(tokens, 0), counts: whole(tokens, 1) };
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
    return { passage: this.passage(ordinal), sentences, ...this.#tokenBlocks(ordinal) };
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

  /** The languages in the order of their numbers, and their passages. */
  languages(): [language: string, passages: number][] {
    const bytes = whole(this.#languages, 0);
    // Numbers are in order of first appearance, so each new one belongs to the language of its passage.
    const languages: [string, number][] = [];
    for (let ordinal = 0; ordinal < this.count; ordinal++) {
      const number = bytes.readUInt16LE(2 * ordinal);
      if (number === languages.length) languages.push([this.#passages.get(ordinal).lang, 0]);
      languages[number]![1]++;
    }
    return languages;
  }

  /** The vectors of typical passages, as in `languages.bin`. */
  typicalVectors(): Buffer {
    return whole(this.#languages, 1);
  }

  /** The record of the overview, as JSON. */
  overview(): Buffer {
    const record = this.#lookup.get(KEYS.overview);
    if (!record) throw this.#lookup.damaged('the record of the overview is missing');
    return record;
  }

  close(): void {
    const tables = [this.#passages, this.#graph, this.#sentences, this.#languages, this.#lookup];
    for (const file of [...tables, this.#tokens?.file]) file?.close();
  }

  #tokenBlocks(ordinal: number): Pick<RowContent, 'tokens' | 'blocks'> {
    if (!this.#tokens) return { tokens: 0, blocks: new Uint8Array(0) };
    const { file, firsts, counts } = this.#tokens;
    const parts = this.manifest.dimensions / PART;
    const tokens = counts.readUInt16LE(2 * ordinal);
    const blocks = new Uint8Array(blockBytes(tokens, parts));
    file.fill(blocks, 2, firsts.readUInt32LE(4 * ordinal) * blockBytes(1, parts));
    return { tokens, blocks };
  }
}

function whole(file: ContainerFile, section: number): Buffer {
  return file.read(section, 0, file.length(section));
}
