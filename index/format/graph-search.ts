import { Heap } from './heap.ts';

/** The links of a hierarchical navigable small world. */
export interface Links {
  nodes: number;
  /** The node that every search starts from; it is on all levels. */
  entry: number;
  /** The highest level, from 0. */
  top: number;
  /** The nodes that a node of this level is linked to. */
  neighbors(node: number, level: number): readonly number[];
}

type Similarity = (node: number) => number;

/**
 * The ef nearest nodes that are found, in no order (Malkov and Yashunin 2016, arXiv:1603.09320, algorithms 2 and 5).
 * @param allowed nodes that may be found; the way leads through all, as in hnswlib
 */
export function nearest(
  links: Links,
  similarity: Similarity,
  ef: number,
  allowed?: (node: number) => boolean,
): { ordinal: number; similarity: number }[] {
  const visited = new Uint8Array(links.nodes);
  const candidates = new Heap();
  const found = new Heap();
  const entry = descend(links, similarity);
  const near = similarity(entry);
  visited[entry] = 1;
  candidates.push(-near, entry);
  if (!allowed || allowed(entry)) found.push(near, entry);
  while (candidates.size > 0) {
    if (found.size === ef && -candidates.least < found.least) break;
    const neighbors = links.neighbors(candidates.pop(), 0);
    for (let i = 0; i < neighbors.length; i++) {
      const node = neighbors[i]!;
      if (visited[node]) continue;
      visited[node] = 1;
      const near = similarity(node);
      if (found.size === ef && near <= found.least) continue;
      candidates.push(-near, node);
      if (allowed && !allowed(node)) continue;
      found.push(near, node);
      if (found.size > ef) found.pop();
    }
  }
  return found.entries().map(({ key, ordinal }) => ({ ordinal, similarity: key }));
}

/** From level to level down to 1, goes to the nearest neighbour while one is nearer: algorithm 2 with ef 1. */
function descend(links: Links, similarity: Similarity): number {
  let best = links.entry;
  let most = similarity(best);
  for (let level = links.top; level > 0; level--) {
    for (let from = -1; from !== best; ) {
      from = best;
      for (const node of links.neighbors(from, level)) {
        const near = similarity(node);
        if (near <= most) continue;
        best = node;
        most = near;
      }
    }
  }
  return best;
}
