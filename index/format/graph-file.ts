import { closeSync, fstatSync, openSync } from 'node:fs';
import type { FileChecks } from './checks.ts';
import { damaged, type Format, readSections } from './container.ts';
import { ContainerWriter, readExactly } from './container-file.ts';
import { Heap } from './heap.ts';
import { writeAscending } from './varint.ts';
import { DotProducts, dot } from './vectors.ts';

/** `graph.bin`: the passages' vectors, and the links between near ones. FORMAT.md describes its layout. */
export const GRAPH: Format = { magic: 'PSGR', version: 1, sections: 7 };

export interface Neighbor {
  ordinal: number;
  similarity: number;
}

/** Nearest-neighbor search over the passages' vectors. Queries are vectors of length 1, or a weighted mean of such vectors. */
export interface Graph {
  /**
   * Returns the k nearest passages, nearest first. May return fewer than there are.
   * @param ef candidates to keep during the search, at least k
   * @param allowed restricts the results to these ordinals
   */
  search(query: Float32Array, k: number, ef: number, allowed?: (ordinal: number) => boolean): Neighbor[];
  /** Returns a function from an ordinal to its cosine with the query. */
  similarities(query: Float32Array): (ordinal: number) => number;
}

/**
 * Reads a whole graph: every search visits passages all over the file.
 * @throws if the file is damaged or has another format. Lists, node numbers and factors are only checked by a search that uses them
 */
export function openGraph(path: string, dimensions: number, checks?: FileChecks): Graph & Links {
  const fd = openSync(path, 'r');
  try {
    const products = new DotProducts(fstatSync(fd).size, dimensions);
    readExactly(fd, products.bytes, 0, path);
    checks?.checkAll(products.bytes);
    return graphOf(products, dimensions, path);
  } finally {
    closeSync(fd);
  }
}

/** @param products contains the bytes of the file. FORMAT.md describes each section */
function graphOf(products: DotProducts, dimensions: number, path: string): Graph & Links {
  const sections = readSections(products.bytes, GRAPH, path) as Sections;
  const [levelBytes, directionBytes, factorBytes, numbers, startBytes, lists, upperBytes] = sections;
  const nodes = factorBytes.length / 8;
  const fits =
    levelBytes.length >= 8 &&
    [levelBytes, upperBytes].every(({ length }) => length % 4 === 0) &&
    Number.isInteger(nodes) &&
    directionBytes.length === 4 * dimensions &&
    numbers.length === nodes * dimensions &&
    startBytes.length === 4 * (nodes + 1) + upperBytes.length;
  if (!fits) {
    const sizes = sections.filter((section) => section !== lists).map(({ length }) => length);
    throw damaged(path, `its sections of ${sizes.join(', ')} bytes do not fit ${dimensions} dimensions`);
  }
  const [levels, starts, upper] = [words(levelBytes), words(startBytes), words(upperBytes)];
  const [direction, factors] = [floats(directionBytes), floats(factorBytes)];
  const numbersStart = numbers.byteOffset - products.bytes.byteOffset;
  const entry = levels[0]!;
  if (entry >= nodes) throw damaged(path, `its entry node is ${entry} of ${nodes}`);
  const levelStarts = levels.subarray(1);
  const isAscending = levelStarts.every((value, i) => i === 0 || levelStarts[i - 1]! <= value);
  if (levelStarts[0] !== 0 || levelStarts.at(-1) !== upper.length || !isAscending)
    throw damaged(path, `its levels start at ${levelStarts.join(', ')} of ${upper.length} nodes`);
  if (!direction.every(Number.isFinite))
    throw damaged(path, 'its mean direction contains a number that is not finite');

  /** The number of a node's list on a level above 0. */
  const upperList = (node: number, level: number): number => {
    let low = levels[level]!;
    let high = levels[level + 1]! - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (upper[middle]! < node) low = middle + 1;
      else high = middle;
    }
    if (upper[low] !== node) throw damaged(path, `node ${node} has no list on level ${level}`);
    return nodes + low;
  };
  const graph: Graph & Links = {
    nodes,
    entry,
    top: levels.length - 2,
    neighbors(node, level) {
      const list = level === 0 ? node : upperList(node, level);
      const [start, end] = [starts[list]!, starts[list + 1]!];
      if (!(start <= end && end <= lists.length))
        throw damaged(path, `list ${list} has bytes ${start} to ${end} of ${lists.length}`);
      const found: number[] = [];
      for (let at = start, value = 0; at < end; ) {
        for (let weight = 1, more = true; more; weight *= 128) {
          const byte = lists[at++]!;
          value += (byte & 127) * weight;
          more = byte > 127;
        }
        // Written so that NaN fails too: the weight of an endless number becomes infinite.
        if (at > end || !(value < nodes))
          throw damaged(path, `list ${list} contains node ${value} of ${nodes}`);
        found.push(value);
      }
      return found;
    },
    similarities(query) {
      let along = 0;
      for (let i = 0; i < query.length; i++) along += query[i]! * direction[i]!;
      const product = products.prepare(query);
      return (node) => {
        const factor = factors[2 * node]!;
        const scale = factors[2 * node + 1]!;
        // Also rejects a node outside the graph, because its factors are undefined.
        if (!Number.isFinite(factor + scale))
          throw damaged(path, `node ${node} of ${nodes} has no valid vector`);
        // The part along the mean direction, plus the dot product with the rest of the vector.
        return along * factor + scale * product(numbersStart + node * dimensions);
      };
    },
    search: (query, k, ef, allowed) =>
      nearest(graph, graph.similarities(query), Math.max(ef, k), allowed)
        .sort((a, b) => b.similarity - a.similarity || a.ordinal - b.ordinal)
        .slice(0, k),
  };
  return graph;
}

type Sections = [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];

const words = ({ buffer, byteOffset, length }: Uint8Array) => new Uint32Array(buffer, byteOffset, length / 4);
const floats = ({ buffer, byteOffset, length }: Uint8Array) =>
  new Float32Array(buffer, byteOffset, length / 4);

/** The links of a hierarchical navigable small world (HNSW) graph. */
interface Links {
  nodes: number;
  /** The node where every search starts. It is on all levels. */
  entry: number;
  /** The top level, counted from 0. */
  top: number;
  neighbors(node: number, level: number): readonly number[];
}

/**
 * Searches a graph for the `ef` nearest nodes. Returns them in no order (Malkov and Yashunin 2016, arXiv:1603.09320, algorithms 2 and 5).
 * @param allowed restricts the results. The search still passes through all nodes, as in hnswlib
 */
export function nearest(
  links: Links,
  similarity: (node: number) => number,
  ef: number,
  allowed?: (node: number) => boolean,
): Neighbor[] {
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
function descend(links: Links, similarity: (node: number) => number): number {
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

export interface GraphLinks {
  /** The node where every search starts. It is on the top level. */
  entry: number;
  /** By node, then by level from 0: the node's neighbors. */
  links: number[][][];
}

/** Writes a `graph.bin`. */
export function writeGraph(
  path: string,
  { entry, links }: GraphLinks,
  vectors: Iterable<Float32Array>,
  sum: Float64Array,
): void {
  const upper: number[] = [];
  const levelStarts = [0];
  const lists = links.map(([list]) => list!);
  for (let level = 1; level < links[entry]!.length; level++) {
    for (const [ordinal, { [level]: list }] of links.entries()) {
      if (!list) continue;
      upper.push(ordinal);
      lists.push(list);
    }
    levelStarts.push(upper.length);
  }
  const starts = new Uint32Array(lists.length + 1);
  const packed = lists.map((list, i) => {
    const bytes = Buffer.from(writeAscending(list.toSorted((a, b) => a - b)));
    starts[i + 1] = starts[i]! + bytes.length;
    return bytes;
  });
  const levels = Uint32Array.from([entry, ...levelStarts]);
  const factors = new Float32Array(2 * links.length);
  const direction = directionOf(sum);
  const rest = [starts, Buffer.concat(packed), Uint32Array.from(upper)];
  const numbers = sum.length * links.length;
  const file = new ContainerWriter(
    path,
    GRAPH,
    [...[levels, direction, factors].map(byteLength), numbers, ...rest.map(byteLength)],
    3,
  );
  let ordinal = 0;
  for (const vector of vectors) {
    const { row, along, scale } = quantize(vector, direction);
    factors.set([along, scale], 2 * ordinal++);
    file.append(new Uint8Array(row.buffer));
  }
  file.finish([levels, direction, factors, ...rest]);
}

const byteLength = ({ byteLength }: ArrayBufferView): number => byteLength;

/** The direction of the vectors' mean, of length 1, or zeros. */
function directionOf(sum: Float64Array): Float32Array {
  const length = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0));
  return Float32Array.from(sum, (value) => (length > 0 ? value / length : 0));
}

/**
 * Quantizes a vector to 8 bits a number. A model's vectors share most of their length, in the direction of their mean. That part is
 * stored as a float, so the 8 bits encode only the rest, scaled so that its largest number is 127. Queries share that direction too,
 * so the rounding error only meets the part of a query across it.
 */
function quantize(
  vector: Float32Array,
  direction: Float32Array,
): { row: Int8Array; along: number; scale: number } {
  const along = dot(vector, direction);
  const rest = Float64Array.from(vector, (value, i) => value - along * direction[i]!);
  const scale = rest.reduce((max, value) => Math.max(max, Math.abs(value)), 0) / 127;
  const row = new Int8Array(vector.length);
  if (scale > 0) row.set(rest.map((value) => Math.round(value / scale)));
  // Rounding adds a little of the mean direction to the numbers, so the float subtracts it.
  return { row, along: along - scale * dot(row, direction), scale };
}
