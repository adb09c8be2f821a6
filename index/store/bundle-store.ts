import { join } from 'node:path';
import type { FolderChecks } from '../format/checks.ts';
import type { CompiledModel } from '../format/compiled-model.ts';
import { damaged } from '../format/container.ts';
import { type Graph, type Neighbor, openGraph } from '../format/graph-file.ts';
import { Heap } from '../format/heap.ts';
import { Languages, type Typicality } from '../format/languages-file.ts';
import { Lookup } from '../format/lookup-file.ts';
import { type Manifest, readManifest } from '../format/manifest.ts';
import { readOverview } from '../format/overview.ts';
import type { Overview } from '../format/overview-types.ts';
import type { Passage } from '../format/passage.ts';
import { Passages } from '../format/passages-file.ts';
import { SentenceVectors } from '../format/sentences-file.ts';
import { PART, type TokenCodes, Tokens } from '../format/tokens-file.ts';
import { type Lists, noVector, type Row, type Selection, type Store, type Surrounding } from './store.ts';

/** The tuned constants of searching the graph. */
export const NEAREST = {
  /**
   * Candidates kept while searching the graph: at least 400, and a hundredth of the passages. With 400, recall@10 is .976 of 103,385 real
   * passages; with 1,034, it is .996 (1,000 other questions than those that this was chosen with) and takes 1.4 ms longer.
   */
  ef: (passages: number) => Math.max(400, Math.ceil(passages / 100)),
  /** Up to this many passages, comparing all is faster than searching the graph. */
  exactPassages: 1000,
  /**
   * Passages that a search of the graph compares for each candidate. A filter multiplies them: passages that do not match are compared
   * too. Of 100,000 passages, comparing all that match is cheaper up to about 33,000.
   */
  comparedPerCandidate: 10,
} as const;

/** The open files of an index. */
interface IndexFiles {
  manifest: Manifest;
  graph: Graph;
  lookup: Lookup;
  sentences: SentenceVectors;
  languages: Languages;
  passages: Passages;
  /** Undefined in an index without token states. */
  tokens: Tokens | undefined;
}

/** An index in a folder, as in the function's bundle. Reads its files synchronously, which a cold start does fastest. */
export class BundleStore implements Store {
  readonly manifest: Manifest;
  readonly size: number;
  readonly lists: Lists;
  readonly #files: IndexFiles;

  constructor(files: IndexFiles) {
    this.#files = files;
    this.manifest = files.manifest;
    this.size = files.passages.count;
    this.lists = listsOf(files.lookup);
  }

  /**
   * Opens the index in a folder.
   * @param model that will embed the questions
   * @param verify the checksums of all files, which reads them whole, or the checks of the folder
   * @throws if the index is missing, damaged, has another format, or was built with another model
   */
  static open(folder: string, model: CompiledModel, verify: boolean | FolderChecks): BundleStore {
    const manifest = readManifest(folder, model, verify);
    const { dimensions, counts } = manifest;
    const [graphPath, passagesPath] = [join(folder, 'graph.bin'), join(folder, 'passages.bin')];
    const checksOf = (name: string) => (typeof verify === 'object' ? verify.of(name) : undefined);
    const graph = openGraph(graphPath, dimensions, checksOf('graph.bin'));
    const opened: { close(): void }[] = [];
    const keep = <File extends { close(): void }>(file: File): File => {
      opened.push(file);
      return file;
    };
    try {
      const passages = keep(new Passages(passagesPath, checksOf('passages.bin')));
      for (const [path, count] of [
        [graphPath, graph.nodes],
        [passagesPath, passages.count],
      ] as const)
        if (count !== counts.passages)
          throw damaged(path, `it has ${count} passages, but the manifest says ${counts.passages}`);
      return new BundleStore({
        manifest,
        graph,
        lookup: keep(new Lookup(join(folder, 'lookup.bin'), counts.passages, checksOf('lookup.bin'))),
        sentences: keep(
          new SentenceVectors(join(folder, 'sentences.bin'), dimensions, checksOf('sentences.bin')),
        ),
        languages: new Languages(join(folder, 'languages.bin'), dimensions, counts.passages, {
          checks: checksOf('languages.bin'),
        }),
        passages,
        tokens:
          manifest.model.tokens === null
            ? undefined
            : keep(
                new Tokens(
                  join(folder, 'tokens.bin'),
                  dimensions / PART,
                  counts.passages,
                  checksOf('tokens.bin'),
                ),
              ),
      });
    } catch (error) {
      // A caller may try again with each question.
      for (const file of opened) file.close();
      throw error;
    }
  }

  /** Compares all passages if that takes fewer comparisons than the graph, or if the graph finds too few. */
  async nearest(vector: Float32Array, wanted: number, selection?: Selection): Promise<Neighbor[]> {
    const { graph } = this.#files;
    const all = selection?.ordinals.length ?? this.size;
    const count = Math.min(wanted, all);
    const ef = Math.max(NEAREST.ef(this.size), wanted);
    const comparedByGraph = selection ? (NEAREST.comparedPerCandidate * ef * this.size) / all : 0;
    if (all > Math.max(NEAREST.exactPassages, comparedByGraph)) {
      const found = graph.search(vector, count, ef, selection?.has);
      if (found.length >= count) return found;
    }
    const similarityOf = graph.similarities(vector);
    const best = new Heap();
    for (let i = 0; i < all; i++) {
      const ordinal = selection ? selection.ordinals[i]! : i;
      const similarity = similarityOf(ordinal);
      if (best.size === count && similarity <= best.minKey) continue;
      best.push(similarity, ordinal);
      if (best.size > count) best.pop();
    }
    return best.entries().map(({ key, ordinal }) => ({ ordinal, similarity: key }));
  }

  async rows(ordinals: readonly number[], vector?: Float32Array): Promise<Row[]> {
    const { graph, sentences, languages, passages } = this.#files;
    const similarityOf = vector ? graph.similarities(vector) : noVector;
    const bestSentence = vector ? sentences.best(vector) : noVector;
    const damaged = (problem: string) => passages.damaged(problem);
    return ordinals.map((ordinal) => {
      let passage: Passage | undefined;
      return {
        ordinal,
        language: languages.languageOf(ordinal),
        similarity: () => similarityOf(ordinal),
        bestSentence: () => bestSentence(ordinal),
        passage: () => {
          passage ??= passages.get(ordinal);
          return passage;
        },
        damaged,
      };
    });
  }

  async tokenCodes(ordinals: readonly number[]): Promise<TokenCodes> {
    const { tokens } = this.#files;
    if (!tokens) throw new Error('The index has no token states.');
    return tokens.read(ordinals);
  }

  async around(ordinals: readonly number[], context: number): Promise<Surrounding[]> {
    return ordinals.map((ordinal) => {
      const self = this.#files.passages.get(ordinal);
      return {
        before: this.#neighbors(self, ordinal, ordinal - context, ordinal),
        after: this.#neighbors(self, ordinal, ordinal + 1, ordinal + 1 + context),
      };
    });
  }

  /** The passages of the same document whose ordinals are in `[from, to)`. */
  #neighbors(self: Passage, ordinal: number, from: number, to: number): Passage[] {
    const found: Passage[] = [];
    for (let i = Math.max(0, from); i < Math.min(to, this.size); i++) {
      const passage = this.#files.passages.get(i);
      // Documents of several records share a source.
      if (passage.source === self.source && passage.position - self.position === i - ordinal)
        found.push(passage);
    }
    return found;
  }

  typicality(vector: Float32Array): Typicality {
    return this.#files.languages.typicality(vector);
  }

  async overview(): Promise<Overview> {
    return readOverview(this.#files.lookup, this.manifest);
  }

  close(): void {
    const { lookup, sentences, passages, tokens } = this.#files;
    for (const file of [lookup, sentences, passages, tokens]) file?.close();
  }
}

/** The lists of an open `lookup.bin`. */
export function listsOf(lookup: Lookup): Lists {
  return {
    list: async (key) => lookup.list(key),
    ordinal: async (id) => lookup.ordinal(id),
    damaged: (problem) => lookup.damaged(problem),
  };
}
