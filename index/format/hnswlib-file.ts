/** The graph in a file of hnswlib's, its points named by their labels. */
export interface HnswlibGraph {
  /** The label of the point that every search starts from; it is on the highest level. */
  entry: number;
  /** By label: the point's vector. */
  vectors: Float32Array[];
  /** By label, for each of the point's levels from 0: the labels of its neighbours. */
  links: number[][][];
}

/** Bytes of the header, and where the numbers in it are that are needed here. */
const HEADER = 96;
const AT = { count: 16, size: 24, label: 32, data: 40, level: 48, entry: 52, most: 56, most0: 64 };

/**
 * Reads what `saveIndex` of hnswlib's hnswalg.h wrote on a machine of 64 bits, little-endian, and checks it against itself.
 *
 *     0   u64 offsetLevel0_, always 0       48  i32 maxlevel_              96  elements, then upper lists
 *     8   u64 max_elements_                 52  u32 enterpoint_node_
 *     16  u64 cur_element_count             56  u64 maxM_, links that a list of an upper level has room for
 *     24  u64 size_data_per_element_        64  u64 maxM0_, the same for level 0
 *     32  u64 label_offset_                 72  u64 M_
 *     40  u64 offsetData_                   80  f64 mult_;  88  u64 ef_construction_
 *
 * An element is its list of level 0, its vector (f32 each) and its label (u64). A list is the number of its links (u16), two bytes of which
 * the first bit marks a deleted point, and room for links (u32 each, numbers of elements). After the elements, for each: the bytes
 * that its upper lists take (u32), and these lists, from level 1.
 * @param dimensions numbers in a vector
 * @throws if the header says other sizes than these, a number is out of range, a point is deleted, or labels are not 0 to the number of points
 */
export function readHnswlibFile(bytes: Uint8Array, dimensions: number): HnswlibGraph {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (what: string): never => {
    throw new Error(`hnswlib's file of ${bytes.length} bytes is not as its format says: ${what}.`);
  };
  const long = (at: number) => Number(view.getBigUint64(at, true));
  const equal = (what: string, found: number, expected: number) =>
    found === expected || fail(`${what} is ${found} where ${expected} was expected`);
  const within = (at: number, size: number) =>
    at + size <= bytes.length ? at : fail(`it ends before byte ${at + size}`);

  within(0, HEADER);
  const count = long(AT.count);
  const [most, most0] = [long(AT.most), long(AT.most0)];
  const data = 4 + 4 * most0;
  const size = data + 4 * dimensions + 8;
  equal('offsetLevel0_', long(0), 0);
  equal('offsetData_', long(AT.data), data);
  equal('label_offset_', long(AT.label), size - 8);
  equal('size_data_per_element_', long(AT.size), size);
  const top = view.getInt32(AT.level, true);

  const labelOf = (element: number) =>
    element < count
      ? long(HEADER + element * size + size - 8)
      : fail(`element ${element} of ${count} is linked`);
  const list = (at: number, room: number) => {
    const length = view.getUint16(at, true);
    if (length > room) fail(`a list with room for ${room} links has ${length}`);
    return Array.from({ length }, (_, i) => labelOf(view.getUint32(at + 4 + 4 * i, true)));
  };

  within(HEADER, count * size);
  const vectors: Float32Array[] = Array(count);
  const links: number[][][] = Array(count);
  let at = HEADER + count * size;
  for (let element = 0; element < count; element++) {
    const start = HEADER + element * size;
    const label = labelOf(element);
    if (label >= count || label in links) fail(`label ${label} is there twice, or not one of ${count}`);
    if (view.getUint8(start + 2) & 1) fail(`the point with label ${label} is deleted`);
    const levels = view.getUint32(within(at, 4), true) / (4 + 4 * most);
    if (!Number.isInteger(levels) || levels > top)
      fail(`label ${label} has ${levels} of ${top} upper levels`);
    at += 4;
    within(at, levels * (4 + 4 * most));
    vectors[label] = Float32Array.from({ length: dimensions }, (_, i) =>
      view.getFloat32(start + data + 4 * i, true),
    );
    links[label] = [list(start, most0)];
    for (let level = 0; level < levels; level++, at += 4 + 4 * most) links[label].push(list(at, most));
  }
  equal('its length', bytes.length, at);
  const entry = labelOf(view.getUint32(AT.entry, true));
  equal('the number of levels of the point to enter at', links[entry]!.length, top + 1);
  return { entry, vectors, links };
}
