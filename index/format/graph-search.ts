import { Heap } from './heap.ts';

/** The links of a hierarchical navigable small world (HNSW) graph. */
export interface Links {
  nodes: number;
  /** The node where every search starts. It is on all levels. */
  entry: number;
  /** The top level, counted from 0. */
  top: number;
  /** Returns the nodes linked to a node on one of its levels. */
  neighbors(node: number, level: number): readonly number[];
}

type Similarity = (node: number) => number;

/**
 * Searches a graph for the `ef` nearest nodes. Returns them in no order (Malkov and Yashunin 2016, arXiv:1603.09320, algorithms 2 and 5).
 * @param allowed restricts the results. The search still passes through all nodes, as in hnswlib
 */
export function nearest(
  links: Links,
  similarity: Similarity,
  ef: number,
  allowed?: (node: number) => boolean,
): { ordinal: number; similarity: number }[] {
  const visited = new Uint8Array(links.nodes);
  // Keys are negative similarities in the first heap, so that the nearest candidate is on top.
  const candidates = new Heap();
  const found = new Heap();
  const entry = descend(links, similarity);
  const entrySimilarity = similarity(entry);
  visited[entry] = 1;
  candidates.push(-entrySimilarity, entry);
  if (!allowed || allowed(entry)) found.push(entrySimilarity, entry);
  while (candidates.size > 0) {
    if (found.size === ef && -candidates.minKey < found.minKey) break;
    const neighbors = links.neighbors(candidates.pop(), 0);
    for (let i = 0; i < neighbors.length; i++) {
      const node = neighbors[i]!;
      if (visited[node]) continue;
      visited[node] = 1;
      const value = similarity(node);
      if (found.size === ef && value <= found.minKey) continue;
      candidates.push(-value, node);
      if (allowed && !allowed(node)) continue;
      found.push(value, node);
      if (found.size > ef) found.pop();
    }
  }
  return found.entries().map(({ key, ordinal }) => ({ ordinal, similarity: key }));
}

/** On each level from the top down to 1, moves to the nearest neighbor until none is nearer: algorithm 2 with ef 1. */
function descend(links: Links, similarity: Similarity): number {
  let best = links.entry;
  let max = similarity(best);
  for (let level = links.top; level > 0; level--) {
    for (let from = -1; from !== best; ) {
      from = best;
      for (const node of links.neighbors(from, level)) {
        const value = similarity(node);
        if (value <= max) continue;
        best = node;
        max = value;
      }
    }
  }
  return best;
}
