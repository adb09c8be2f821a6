import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import onnxProto from 'onnx-proto';
import ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Table, writeRows } from '../../../index/compile/lookup-tables.ts';
import { FLOAT, FLOAT16, node } from '../../../index/compile/onnx-graph.ts';
import { addRow, float16, RowFile, type RowLayout, rowBytes } from '../../../index/format/rows-file.ts';

const { onnx } = onnxProto;
const dir = mkdtempSync(join(tmpdir(), 'polyseek-rows-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** The value of each of the 65,536 half-precision numbers, from onnxruntime's Cast. */
let halves: Float32Array;
beforeAll(async () => {
  const all = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const model = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 14 }],
    graph: {
      name: 'halves',
      node: [node('Cast', ['halves'], ['singles'], { to: FLOAT })],
      initializer: [
        { name: 'halves', dims: [65_536], dataType: FLOAT16, rawData: new Uint8Array(all.buffer) },
      ],
      output: [{ name: 'singles', type: { tensorType: { elemType: FLOAT } } }],
    },
  });
  const session = await ort.InferenceSession.create(onnx.ModelProto.encode(model).finish());
  halves = (await session.run({})).singles!.data as Float32Array;
});

test('reads every half-precision number as onnxruntime does', () => {
  expect(Float32Array.from({ length: 65_536 }, (_, bits) => float16(bits))).toEqual(halves);
});

describe.each([
  { kind: 'q4', columns: 96, scale: 1, zero: 0 },
  { kind: 'int8', columns: 40, scale: 0.0123, zero: 117 },
  { kind: 'fp16', columns: 24, scale: 1, zero: 0 },
  { kind: 'fp32', columns: 24, scale: 1, zero: 0 },
] satisfies RowLayout[])('$kind rows', (layout) => {
  const size = rowBytes(layout);
  // NaN would make every sum NaN, and hide other errors.
  const row = fc
    .uint8Array({ minLength: size, maxLength: size })
    .filter((bytes) => numbersOf(bytes).every(Number.isFinite));

  /** Decodes a row number by number, as FORMAT.md describes. */
  function numbersOf(bytes: Uint8Array): number[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, size);
    return Array.from({ length: layout.columns }, (_, i) => {
      if (layout.kind === 'int8') return (bytes[i]! - layout.zero) * layout.scale;
      if (layout.kind === 'fp16') return halves[view.getUint16(2 * i, true)]!;
      if (layout.kind === 'fp32') return view.getFloat32(4 * i, true);
      const [block, place] = [Math.floor(i / 32), i % 32];
      const byte = bytes[block * 16 + (place % 16)]!;
      const nibble = place < 16 ? byte % 16 : Math.floor(byte / 16);
      return (nibble - 8) * halves[view.getUint16(layout.columns / 2 + 2 * block, true)]!;
    });
  }

  test('are added to their own position only', () => {
    fc.assert(
      fc.property(row, fc.nat(3), (bytes, at) => {
        const out = new Float32Array(layout.columns + 3).fill(0.5);
        const expected = Float32Array.from(out);
        numbersOf(bytes).forEach((value, i) => {
          expected[at + i]! += value;
        });
        addRow(layout, bytes, out, at);
        expect(out).toEqual(expected);
      }),
    );
  });

  test('are read from the file and added to the row of their position', () => {
    const path = join(dir, 'rows.bin');
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 7 }),
        (rows, picks) => {
          const ids = picks.map((pick) => pick % rows.length);
          const positions = Float32Array.from({ length: 7 * layout.columns }, (_, i) => i / 8);
          const table: Table = { layout, rows: rows.length, bytes: Buffer.concat(rows) };
          writeFileSync(path, writeRows(table, positions));
          const file = new RowFile(path);
          try {
            expect(file).toMatchObject({ columns: layout.columns, positions: 7 });
            const expected = positions.slice(0, ids.length * layout.columns);
            const read = file.sum(ids);
            ids.forEach((id, i) => {
              numbersOf(rows[id]!).forEach((value, j) => {
                // The file stores the scale of an int8 table in single precision.
                const stored =
                  layout.kind === 'int8' ? (rows[id]![j]! - layout.zero) * Math.fround(layout.scale) : value;
                expected[i * layout.columns + j]! += stored;
              });
            });
            expect(read).toEqual(expected);
          } finally {
            file.close();
          }
        },
      ),
    );
  });

  test('are refused past the last row', () => {
    const path = join(dir, 'last.bin');
    writeFileSync(
      path,
      writeRows({ layout, rows: 2, bytes: new Uint8Array(2 * size) }, new Float32Array(3 * layout.columns)),
    );
    const file = new RowFile(path);
    expect(file.sum([1])).toHaveLength(layout.columns);
    expect(() => file.sum([0, 2])).toThrow(
      `${path} is damaged: it has no row for token 2 of tokenizer.bin. Run npx polyseek index again.`,
    );
    expect(() => file.sum([0, 0, 0, 0])).toThrow(
      `${path} is damaged: it has 3 position rows, but a text has 4 tokens. Run npx polyseek index again.`,
    );
    file.close();
  });
});

describe('a file is refused', () => {
  const layout: RowLayout = { kind: 'q4', columns: 32, scale: 1, zero: 0 };
  const whole = writeRows(
    { layout, rows: 2, bytes: new Uint8Array(2 * rowBytes(layout)) },
    new Float32Array(32),
  );
  const path = join(dir, 'damaged.bin');
  /** Section 0 starts after the 16-byte header and three section entries. */
  const SETTINGS = 64;

  test.each<[string, (view: DataView) => void, string]>([
    [
      'with rows of an unknown kind',
      (view) => view.setUint16(SETTINGS, 9, true),
      'it has rows of the unknown kind 9',
    ],
    ['without columns', (view) => view.setUint32(SETTINGS + 4, 0, true), 'its q4 rows have 0 columns'],
    [
      'with incomplete blocks',
      (view) => view.setUint32(SETTINGS + 4, 48, true),
      'its q4 rows have 48 columns',
    ],
    [
      'with four billion columns',
      (view) => view.setUint32(SETTINGS + 4, 2 ** 32 - 32, true),
      'its q4 rows have 4294967264 columns',
    ],
    [
      'with incomplete rows',
      (view) => view.setUint32(SETTINGS + 4, 64, true),
      'it has 1 word rows and 0.5 position rows',
    ],
  ])('%s', (_, change, problem) => {
    const bytes = whole.slice();
    change(new DataView(bytes.buffer));
    writeFileSync(path, bytes);
    expect(() => new RowFile(path)).toThrow(
      new Error(`${path} is damaged: ${problem}. Run npx polyseek index again.`),
    );
  });

  test('if truncated while open', () => {
    writeFileSync(path, whole);
    const file = new RowFile(path);
    truncateSync(path, whole.length - 1);
    expect(() => file.sum([0])).toThrow(
      /^.*damaged\.bin is damaged: it ends at byte \d+, before byte \d+\. Run/,
    );
    file.close();
  });
});
