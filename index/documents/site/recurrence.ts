import { foldersOf, type Signature } from './signature.ts';

/** Fewer pages are no sign: a licence may be on three. */
const MIN_PAGES = 4;

/** How many pages of a folder, and of its subfolders, contain each hash. */
interface Counts {
  pages: number;
  byHash: Map<number, number>;
}

/** Which hashes recur over the pages of a folder. */
export class Recurrence {
  readonly #folders = new Map<string, Counts>();
  /** The first page, by name, with each hash that recurs anywhere. */
  readonly #first = new Map<number, string>();

  constructor(signatures: readonly Signature[]) {
    const frequent = frequentHashes(signatures);
    for (const { source, hashes } of signatures) {
      const counted = hashes.filter((hash) => frequent.has(hash));
      for (const folder of foldersOf(source)) {
        const counts = this.#folders.get(folder) ?? { pages: 0, byHash: new Map() };
        this.#folders.set(folder, counts);
        counts.pages++;
        for (const hash of counted) counts.byHash.set(hash, (counts.byHash.get(hash) ?? 0) + 1);
      }
      for (const hash of counted) {
        const first = this.#first.get(hash);
        if (first === undefined || source < first) this.#first.set(hash, source);
      }
    }
  }

  /** Returns a function that tells whether a hash is on at least `share` of the pages of a folder that contains this page. */
  on(source: string): (hash: number, share: number) => boolean {
    const folders = foldersOf(source).flatMap((folder) => this.#folders.get(folder) ?? []);
    return (hash, share) =>
      folders.some(({ pages, byHash }) => (byHash.get(hash) ?? 0) >= Math.max(MIN_PAGES, share * pages));
  }

  /** Whether a page is the first by name of those with this hash. */
  isFirst(source: string, hash: number): boolean {
    return this.#first.get(hash) === source;
  }
}

/** The hashes on at least `MIN_PAGES` pages. Sorting numbers takes less memory than counting each in a map. */
function frequentHashes(signatures: readonly Signature[]): Set<number> {
  const all = new Uint32Array(signatures.reduce((sum, { hashes }) => sum + hashes.length, 0));
  let end = 0;
  for (const { hashes } of signatures) {
    all.set(hashes, end);
    end += hashes.length;
  }
  all.sort();
  const frequent = new Set<number>();
  for (let i = MIN_PAGES - 1; i < all.length; i++)
    if (all[i] === all[i - MIN_PAGES + 1]) frequent.add(all[i]!);
  return frequent;
}
