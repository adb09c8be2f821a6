import { writeSections } from '../format/container.ts';
import { addRow, ROW_KINDS, ROWS, type RowLayout, rowBytes } from '../format/rows-file.ts';
import { FLOAT, FLOAT16, type Graph, INT8, type Node, type Tensor, UINT8 } from './onnx-graph.ts';

/** A lookup table of a model: `rows` rows in a layout. */
export interface Table {
  layout: RowLayout;
  rows: number;
  bytes: Uint8Array;
}

/** A tensor of rows. */
interface LookUp {
  tensor: Tensor;
  /** The node that converts an int8 table to floats, before or after the lookup. */
  dequantize?: Node;
}

/**
 * Reads the lookup table of one kind of id.
 * @throws if the rows are not 4-bit blocks, int8, fp16 or fp32
 */
export function readTable(graph: Graph, gathers: Node[], what: string): Table {
  const found = gathers.map((gather) => lookUp(graph, gather));
  const of = (type: number) =>
    found.find(({ tensor }) => tensor.dataType === type && tensor.dims?.length === 2);
  const quantized = of(UINT8) ?? of(INT8);
  const [half, single] = [of(FLOAT16), of(FLOAT)];
  if (quantized && !quantized.dequantize && half && found.length === 2)
    return blockTable(quantized.tensor, half.tensor);
  if (quantized?.dequantize && found.length === 1)
    return int8Table(graph, quantized.tensor, quantized.dequantize);
  const floats = half ?? single;
  if (floats && found.length === 1) {
    const [rows, columns] = dims(floats.tensor);
    const layout: RowLayout = { kind: half ? 'fp16' : 'fp32', columns, scale: 1, zero: 0 };
    return { layout, rows, bytes: rawData(floats.tensor) };
  }
  throw new Error(
    `The ${what} rows are stored as ${found.map(({ tensor }) => `type ${tensor.dataType} ${tensor.dims}`).join(' with ') || 'something else'}, ` +
      'but polyseek requires 4-bit blocks, int8 with one scale, fp16 or fp32. Export the model in one of these.',
  );
}

export function decodeTable({ layout, rows, bytes }: Table): Float32Array {
  const out = new Float32Array(rows * layout.columns);
  const size = rowBytes(layout);
  for (let i = 0; i < rows; i++)
    addRow(layout, bytes.subarray(i * size, (i + 1) * size), out, i * layout.columns);
  return out;
}

/**
 * Returns the bytes of `rows.bin`.
 * @param positions the rows to add to the word rows, one per position
 */
export function writeRows({ layout, bytes }: Table, positions: Float32Array): Uint8Array {
  const settings = new DataView(new ArrayBuffer(16));
  settings.setUint16(0, ROW_KINDS[layout.kind], true);
  settings.setInt16(2, layout.zero, true);
  settings.setUint32(4, layout.columns, true);
  settings.setFloat32(8, layout.scale, true);
  return writeSections(ROWS, [settings, bytes, positions]);
}

function lookUp(graph: Graph, gather: Node): LookUp {
  const [data, output] = [gather.input![0]!, gather.output![0]!];
  const tensor = graph.constants.get(data);
  if (tensor) {
    const after = graph.nodes.find(
      (node) => node.opType === 'DequantizeLinear' && node.input?.[0] === output,
    );
    return { tensor, dequantize: after };
  }
  const before = graph.producers.get(data);
  const stored = before?.opType === 'DequantizeLinear' ? graph.constants.get(before.input![0]!) : undefined;
  if (!before || !stored) {
    throw new Error(
      `The lookup ${gather.name ?? output} reads its rows from ${before?.opType ?? 'an input'}, not from weights. Export the model again.`,
    );
  }
  return { tensor: stored, dequantize: before };
}

/** 4-bit blocks: nibbles [rows, columns / 2] and float16 scales [rows, columns / 32], stored together so that one read returns a row. */
function blockTable(nibbles: Tensor, scales: Tensor): Table {
  const [rows, half] = dims(nibbles);
  const layout: RowLayout = { kind: 'q4', columns: half * 2, scale: 1, zero: 0 };
  const [nibbleBytes, scaleBytes] = [rawData(nibbles), rawData(scales)];
  const size = rowBytes(layout);
  const perRow = size - half;
  if (scaleBytes.length !== rows * perRow) {
    throw new Error(
      `The 4-bit rows have ${scaleBytes.length} bytes of scales, but blocks of 32 need ${rows * perRow}. Export the model again.`,
    );
  }
  const bytes = new Uint8Array(rows * size);
  for (let i = 0; i < rows; i++) {
    bytes.set(nibbleBytes.subarray(i * half, (i + 1) * half), i * size);
    bytes.set(scaleBytes.subarray(i * perRow, (i + 1) * perRow), i * size + half);
  }
  return { layout, rows, bytes };
}

function int8Table(graph: Graph, tensor: Tensor, dequantize: Node): Table {
  const scale = graph.constants.get(dequantize.input![1]!);
  const zero = graph.constants.get(dequantize.input![2] ?? '');
  const scales = scale ? floatsOf(scale) : [];
  if (scales.length !== 1)
    throw new Error(
      `The int8 rows have ${scales.length} scales, but polyseek requires one for all. Export the model again.`,
    );
  const [rows, columns] = dims(tensor);
  const signed = tensor.dataType === INT8;
  const zeroByte = zero ? (zero.int32Data?.[0] ?? rawData(zero)[0] ?? 0) : 0;
  const zeroPoint = signed ? (zeroByte << 24) >> 24 : zeroByte & 255;
  // Rows are stored unsigned, so signed bytes and their zero point are increased by 128.
  const bytes = signed ? rawData(tensor).map((byte) => byte ^ 128) : rawData(tensor);
  return {
    layout: { kind: 'int8', columns, scale: scales[0]!, zero: signed ? zeroPoint + 128 : zeroPoint },
    rows,
    bytes,
  };
}

function dims(tensor: Tensor): [rows: number, columns: number] {
  return [Number(tensor.dims?.[0]), Number(tensor.dims?.[1])];
}

function floatsOf(tensor: Tensor): number[] {
  if (tensor.floatData?.length) return [...tensor.floatData];
  const bytes = rawData(tensor);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
}

function rawData(tensor: Tensor): Uint8Array {
  if (tensor.rawData?.length) return tensor.rawData;
  if (tensor.floatData?.length) return new Uint8Array(Float32Array.from(tensor.floatData).buffer);
  if (tensor.int32Data?.length) {
    return tensor.dataType === FLOAT16
      ? new Uint8Array(Uint16Array.from(tensor.int32Data).buffer)
      : Uint8Array.from(tensor.int32Data);
  }
  throw new Error(`The weights ${tensor.name} are empty. Export the model again.`);
}
