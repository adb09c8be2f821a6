import hnswlib from 'hnswlib-node';

/** Edges a node and candidates while building: hnswlib's usual choice for some hundred dimensions (Malkov and Yashunin 2016, arXiv:1603.09320). */
const M = 16;
const EF_CONSTRUCTION = 200;
const SEED = 100;

/** A passage near to a question. */
export interface Neighbor {
  ordinal: number;
  /** Cosine. */
  similarity: number;
}

/** The seam to the vector graph. Vectors have length 1. */
export interface Graph {
  /** The k nearest, nearest first; with `allowed`, those among them alone. May find fewer than there are. */
  search(vector: Float32Array, k: number, ef: number, allowed?: (ordinal: number) => boolean): Neighbor[];
  /** Cosine of a vector and a passage's. */
  similarity(vector: Float32Array, ordinal: number): number;
}

/** Builds the graph of these vectors (ordinals in order) and writes it. */
export function writeGraph(path: string, vectors: readonly Float32Array[]): void {
  const graph = new hnswlib.HierarchicalNSW('ip', vectors[0]!.length);
  graph.initIndex(vectors.length, M, EF_CONSTRUCTION, SEED);
  for (const [ordinal, vector] of vectors.entries()) graph.addPoint(Array.from(vector), ordinal);
  graph.writeIndexSync(path);
}

/** Opens a graph that `writeGraph` wrote. */
export function openGraph(path: string, dimensions: number): Graph {
  const graph = new hnswlib.HierarchicalNSW('ip', dimensions);
  graph.readIndexSync(path);
  return {
    search(vector, k, ef, allowed) {
      const most = Math.min(k, graph.getCurrentCount());
      graph.setEf(Math.max(ef, most));
      const { neighbors, distances } = graph.searchKnn(Array.from(vector), most, allowed);
      return neighbors
        .map((ordinal, i) => ({ ordinal, similarity: 1 - distances[i]! }))
        .sort((a, b) => b.similarity - a.similarity);
    },
    similarity(vector, ordinal) {
      return graph.getPoint(ordinal).reduce((sum, value, i) => sum + value * vector[i]!, 0);
    },
  };
}
