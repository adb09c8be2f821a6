import type { GraphLinks } from '../format/graph-file.ts';

/** Bytes of elements that are read at once. */
const CHUNK = 1 << 20;

/** Bytes of the header, and the offsets of its fields used here. */
const HEADER = 96;
const AT = { count: 16, size: 24, label: 32, data: 40, level: 48, entry: 52, maxLinks: 56, maxLinks0: 64 };

/**
 * Reads the links in a file written by `saveIndex` of hnswlib's hnswalg.h on a 64-bit little-endian machine, and checks that it is
 * consistent. Points are identified by their labels.
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
 * @throws if the header has other sizes, a number is out of range, a point is deleted, or the labels are not 0 to the number of points
 */
export function readHnswlibFile(
  { length, read }: { length: number; read: (start: number, length: number) => Uint8Array },
  dimensions: number,
): GraphLinks {
  const fail = (problem: string): never => {
    throw new Error(`hnswlib wrote an unexpected file of ${length} bytes: ${problem}.`);
  };
  const expectEqual = (field: string, found: number, expected: number) =>
    found === expected || fail(`${field} is ${found} instead of ${expected}`);
  const viewOf = (start: number, size: number) => {
    if (!(start + size <= length)) fail(`it ends before byte ${start + size}`);
    const { buffer, byteOffset } = read(start, size);
    return new DataView(buffer, byteOffset, size);
  };
  const long = (view: DataView, at: number) => Number(view.getBigUint64(at, true));

  const header = viewOf(0, HEADER);
  const count = long(header, AT.count);
  const [maxLinks, maxLinks0] = [long(header, AT.maxLinks), long(header, AT.maxLinks0)];
  const data = 4 + 4 * maxLinks0;
  const size = data + 4 * dimensions + 8;
  expectEqual('offsetLevel0_', long(header, 0), 0);
  expectEqual('offsetData_', long(header, AT.data), data);
  expectEqual('label_offset_', long(header, AT.label), size - 8);
  expectEqual('size_data_per_element_', long(header, AT.size), size);
  const top = header.getInt32(AT.level, true);
  if (!(HEADER + count * size <= length)) fail(`it ends before byte ${HEADER + count * size}`);

  const list = (view: DataView, at: number, capacity: number) => {
    const links = view.getUint16(at, true);
    if (links > capacity) fail(`a list of at most ${capacity} links has ${links}`);
    return Array.from({ length: links }, (_, i) => {
      const element = view.getUint32(at + 4 + 4 * i, true);
      return element < count ? element : fail(`a link leads to element ${element} of ${count}`);
    });
  };
  const labels = new Float64Array(count).fill(-1);
  const links: number[][][] = Array(count);
  const perChunk = Math.max(1, Math.floor(CHUNK / size));
  for (let first = 0; first < count; first += perChunk) {
    const elements = Math.min(perChunk, count - first);
    const view = viewOf(HEADER + first * size, elements * size);
    for (let i = 0; i < elements; i++) {
      const label = long(view, i * size + size - 8);
      if (label >= count || label in links)
        fail(`label ${label} of ${count} is out of range or occurs twice`);
      if (view.getUint8(i * size + 2) & 1) fail(`the point with label ${label} is deleted`);
      labels[first + i] = label;
      links[label] = [list(view, i * size, maxLinks0)];
    }
  }
  const upper = 4 + 4 * maxLinks;
  let at = HEADER + count * size;
  for (const label of labels) {
    const levels = viewOf(at, 4).getUint32(0, true) / upper;
    if (!Number.isInteger(levels) || levels > top)
      fail(`label ${label} has ${levels} of ${top} upper levels`);
    at += 4;
    for (let level = 0; level < levels; level++, at += upper)
      links[label]!.push(list(viewOf(at, upper), 0, maxLinks));
  }
  expectEqual('its length', length, at);
  const toLabels = (elements: number[]) => elements.map((element) => labels[element]!);
  for (const [label, levels] of links.entries()) links[label] = levels.map(toLabels);
  const first = header.getUint32(AT.entry, true);
  const entry = first < count ? labels[first]! : fail(`a link leads to element ${first} of ${count}`);
  expectEqual('the number of levels of the entry point', links[entry]!.length, top + 1);
  return { entry, links };
}
