/** The graph in a file written by hnswlib. Points are identified by their labels. */
export interface HnswlibGraph {
  /** The label of the point where every search starts. It is on the top level. */
  entry: number;
  /** Each point's vector, by label. */
  vectors: Float32Array[];
  /** By label, then by level from 0: the labels of the point's neighbors. */
  links: number[][][];
}

/** Bytes of the header, and the offsets of its fields used here. */
const HEADER = 96;
const AT = { count: 16, size: 24, label: 32, data: 40, level: 48, entry: 52, maxLinks: 56, maxLinks0: 64 };

/**
 * Reads a file written by `saveIndex` of hnswlib's hnswalg.h on a 64-bit little-endian machine, and checks that it is consistent.
 *
 *     0   u64 offsetLevel0_, always 0       48  i32 maxlevel_              96  elements, then upper lists
 *     8   u64 max_elements_                 52  u32 enterpoint_node_
 *     16  u64 cur_element_count             56  u64 maxM_, capacity of a list on an upper level
 *     24  u64 size_data_per_element_        64  u64 maxM0_, the same for level 0
 *     32  u64 label_offset_                 72  u64 M_
 *     40  u64 offsetData_                   80  f64 mult_;  88  u64 ef_construction_
 *
 * An element contains its list on level 0, its vector (f32 each) and its label (u64). A list contains its number of links (u16),
 * two bytes whose first bit marks a deleted point, and space for its capacity of links (u32 element numbers). After the elements,
 * the file contains for each element the size of its upper lists in bytes (u32) and these lists, from level 1.
 * @param dimensions numbers in a vector
 * @throws if the header has other sizes, a number is out of range, a point is deleted, or the labels are not 0 to the number of points
 */
export function readHnswlibFile(bytes: Uint8Array, dimensions: number): HnswlibGraph {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (problem: string): never => {
    throw new Error(`hnswlib wrote an unexpected file of ${bytes.length} bytes: ${problem}.`);
  };
  const long = (at: number) => Number(view.getBigUint64(at, true));
  const expectEqual = (field: string, found: number, expected: number) =>
    found === expected || fail(`${field} is ${found} instead of ${expected}`);
  const expectBytes = (at: number, size: number) =>
    at + size <= bytes.length ? at : fail(`it ends before byte ${at + size}`);

  expectBytes(0, HEADER);
  const count = long(AT.count);
  const [maxLinks, maxLinks0] = [long(AT.maxLinks), long(AT.maxLinks0)];
  const data = 4 + 4 * maxLinks0;
  const size = data + 4 * dimensions + 8;
  expectEqual('offsetLevel0_', long(0), 0);
  expectEqual('offsetData_', long(AT.data), data);
  expectEqual('label_offset_', long(AT.label), size - 8);
  expectEqual('size_data_per_element_', long(AT.size), size);
  const top = view.getInt32(AT.level, true);

  const labelOf = (element: number) =>
    element < count
      ? long(HEADER + element * size + size - 8)
      : fail(`a link leads to element ${element} of ${count}`);
  const list = (at: number, capacity: number) => {
    const length = view.getUint16(at, true);
    if (length > capacity) fail(`a list of at most ${capacity} links has ${length}`);
    return Array.from({ length }, (_, i) => labelOf(view.getUint32(at + 4 + 4 * i, true)));
  };

  expectBytes(HEADER, count * size);
  const vectors: Float32Array[] = Array(count);
  const links: number[][][] = Array(count);
  let at = HEADER + count * size;
  for (let element = 0; element < count; element++) {
    const start = HEADER + element * size;
    const label = labelOf(element);
    if (label >= count || label in links) fail(`label ${label} of ${count} is out of range or occurs twice`);
    if (view.getUint8(start + 2) & 1) fail(`the point with label ${label} is deleted`);
    const levels = view.getUint32(expectBytes(at, 4), true) / (4 + 4 * maxLinks);
    if (!Number.isInteger(levels) || levels > top)
      fail(`label ${label} has ${levels} of ${top} upper levels`);
    at += 4;
    expectBytes(at, levels * (4 + 4 * maxLinks));
    vectors[label] = Float32Array.from({ length: dimensions }, (_, i) =>
      view.getFloat32(start + data + 4 * i, true),
    );
    links[label] = [list(start, maxLinks0)];
    for (let level = 0; level < levels; level++, at += 4 + 4 * maxLinks)
      links[label].push(list(at, maxLinks));
  }
  expectEqual('its length', bytes.length, at);
  const entry = labelOf(view.getUint32(AT.entry, true));
  expectEqual('the number of levels of the entry point', links[entry]!.length, top + 1);
  return { entry, vectors, links };
}
