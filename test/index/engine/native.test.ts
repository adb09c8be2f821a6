import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { types } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ENCODER } from '../../../index/embedding/encoder.ts';
import type { EncoderHandle } from '../../../index/engine/library.ts';
import { readHead } from '../../../index/format/container.ts';
import { gaussian, randomNumbers, temporaryFolder } from '../../fixtures/index.ts';
import { library } from './engine-library.ts';
import { encoderBytes, randomModel } from './random-model.ts';

const folder = temporaryFolder();
const path = join(folder, 'encoder.bin');
const SIZES = { columns: 64, layers: 1, heads: 2, inner: 64, axes: 1 };
const bytes = encoderBytes(SIZES, randomModel(SIZES, 1));
writeFileSync(path, bytes);
const sections = readHead(bytes, ENCODER, path, bytes.length).flatMap(({ start, length }) => [start, length]);
const rows = gaussian(3 * SIZES.columns, randomNumbers(2));

/** The library's functions, for calls that TypeScript rejects. */
const untyped = library as unknown as Record<
  'open' | 'run' | 'map' | 'compareBlocks' | 'tabulate' | 'matchTokens',
  (...values: unknown[]) => unknown
>;
const places = (change: (numbers: number[]) => void = () => {}) => {
  const numbers = [...sections];
  change(numbers);
  return Float64Array.from(numbers);
};
const open = (change?: (numbers: number[]) => void) => library.open(path, bytes, places(change));

test.each<[string, unknown[]]>([
  ['no argument', []],
  ['a number', [1, bytes, places()]],
  ['an array', [[], bytes, places()]],
  ['a path that contains NUL', [`${path}\0`, bytes, places()]],
  ['a path of 100,000 characters', ['x'.repeat(100_000), bytes, places()]],
])('open and map reject %s as path', (_, values) => {
  expect(() => untyped.open(...values)).toThrow('open: the path must be a string of up to 4095 bytes.');
  expect(() => untyped.map(...values)).toThrow('map: the path must be a string of up to 4095 bytes.');
});

test.each<[string, unknown]>([
  ['undefined', undefined],
  ['an array', sections],
  ['bytes', new Uint8Array(8)],
  ['32-bit floats', new Float32Array(8)],
  ['a DataView', new DataView(new ArrayBuffer(64))],
  ['seven numbers', new Float64Array(7)],
  ['no numbers', new Float64Array(0)],
])('open rejects %s as sections', (_, value) => {
  expect(() => untyped.open(path, bytes, value)).toThrow('the sections must be a Float64Array of 8 numbers.');
});

test.each<[string, unknown]>([
  ['undefined', undefined],
  ['text', 'bytes'],
  ['numbers', new Float64Array(8)],
  ['an odd place of a buffer', new Uint8Array(bytes.buffer, bytes.byteOffset + 1)],
])('open rejects %s as bytes', (_, value) => {
  expect(() => untyped.open(path, value, places())).toThrow(
    `${path}: its bytes must be a Uint8Array that starts at a multiple of 8.`,
  );
});

test('open rejects a kernel that this processor does not support', () => {
  expect(() => library.open(path, bytes, places(), 'other')).toThrow(
    'This processor does not support the kernel other.',
  );
  for (const kernel of [1, null, {}, 'x'.repeat(1000)])
    expect(() => untyped.open(path, bytes, places(), kernel)).toThrow('The kernel must be one of `kernels`.');
});

test.each<[string, (numbers: number[]) => void]>([
  ['before the file', (numbers) => numbers.splice(0, 1, -8)],
  ['past the end of the file', (numbers) => numbers.splice(6, 1, 1e12)],
  ['across the end of the file', (numbers) => numbers.splice(7, 1, numbers[7]! + 8)],
  ['of a negative length', (numbers) => numbers.splice(7, 1, -8)],
  ['that overlap', (numbers) => numbers.splice(4, 1, numbers[4]! - 8)],
  ['in another order', (numbers) => numbers.push(...numbers.splice(0, 2))],
  ['at NaN', (numbers) => numbers.splice(2, 1, Number.NaN)],
  ['at infinity', (numbers) => numbers.splice(2, 1, Number.POSITIVE_INFINITY)],
])('open rejects sections %s', (_, change) => {
  expect(() => open(change)).toThrow(
    `${path} is damaged: its sections overlap or exceed the file. Run npx polyseek index again.`,
  );
});

test.each<[string, (numbers: number[]) => void]>([
  ['at multiples of 4', (numbers) => numbers.splice(6, 2, numbers[6]! + 4, numbers[7]! - 4)],
  ['at odd bytes', (numbers) => numbers.splice(2, 2, numbers[2]! + 1, numbers[3]! - 1)],
  ['at fractions', (numbers) => numbers.splice(0, 1, numbers[0]! + 0.5)],
  ['of a fractional length', (numbers) => numbers.splice(7, 1, numbers[7]! - 0.5)],
])('open rejects sections %s', (_, change) => {
  expect(() => open(change)).toThrow(
    `${path} is damaged: its sections are not aligned to 8 bytes. Run npx polyseek index again.`,
  );
});

test('open rejects settings that the sections or the engine cannot satisfy', () => {
  const damaged = (setting: number, value: number) => {
    const copy = Buffer.from(bytes.slice().buffer);
    copy.writeUInt32LE(value, sections[0]! + 4 * setting);
    return () => library.open(path, copy, places());
  };
  const [COLUMNS, LAYERS, HEADS, INNER, AXES, MAX_TOKENS] = [0, 1, 2, 3, 4, 5] as const;
  for (const [setting, value] of [
    [LAYERS, 2],
    [AXES, 2],
    [COLUMNS, 128],
    [INNER, 128],
  ] as const)
    expect(damaged(setting, value)).toThrow('its sections are shorter than its settings require');
  for (const [setting, value] of [
    [COLUMNS, 0],
    [COLUMNS, 32],
    [HEADS, 0],
    [HEADS, 3],
    [HEADS, 4],
    [INNER, 0],
    [MAX_TOKENS, 0],
  ] as const)
    expect(damaged(setting, value)).toThrow("its sizes are not multiples of the engine's block sizes");
  for (const setting of [COLUMNS, LAYERS, HEADS, INNER, AXES, MAX_TOKENS])
    expect(damaged(setting, 2 ** 32 - 1)).toThrow('its settings exceed 32768');
});

test('run rejects any value except an encoder of this library', () => {
  // An external value of Node itself, not of this library.
  const { context } = createSecureContext() as unknown as { context: { _external: object } };
  expect(types.isExternal(context._external)).toBe(true);
  for (const value of [undefined, null, 1, 'encoder', {}, library, rows, context._external])
    expect(() => untyped.run(value, rows)).toThrow(
      'the first argument must be an encoder that `open` returned.',
    );
  expect(() => untyped.run()).toThrow('the first argument must be an encoder that `open` returned.');
});

test('run rejects rows of another type or size', () => {
  const encoder = open();
  for (const value of [
    undefined,
    [],
    new Float64Array(64),
    new Uint8Array(64),
    new ArrayBuffer(256),
    new DataView(new ArrayBuffer(256)),
  ])
    expect(() => untyped.run(encoder, value)).toThrow('run: the rows must be a Float32Array.');
  for (const size of [0, 1, 65, 101 * 64])
    expect(() => library.run(encoder, new Float32Array(size))).toThrow(
      `run: the rows have ${size} numbers. They must have 64 for each of 1 to 100 tokens.`,
    );
  const detached = new Float32Array(64);
  structuredClone(detached, { transfer: [detached.buffer] });
  expect(() => library.run(encoder, detached)).toThrow('run: the rows have 0 numbers.');
});

test('run rejects a layer that the encoder does not have', () => {
  const encoder = open();
  const states = new Float32Array(rows.length);
  for (const layer of [0, -1, 2, 2 ** 31, Number.NaN, '1', null, {}, 1n])
    expect(() => untyped.run(encoder, rows, layer, states)).toThrow(
      'run: the layer must be a number from 1 to 1.',
    );
});

test('run rejects states of another type or size', () => {
  const encoder = open();
  const detached = new Float32Array(rows.length);
  structuredClone(detached, { transfer: [detached.buffer] });
  for (const states of [
    undefined,
    null,
    [],
    new Float64Array(rows.length),
    new Float32Array(rows.length - 1),
    new Float32Array(rows.length + 1),
    new Float32Array(0),
    detached,
  ])
    expect(() => untyped.run(encoder, rows, 1, states)).toThrow(
      'run: the states must be a Float32Array of the same size as the rows.',
    );
  expect(library.run(encoder, rows, 1, new Float32Array(rows.length))).toEqual(library.run(encoder, rows));
});

describe('tabulate rejects', () => {
  const codewords = new Float32Array(16 * 16);

  test.each<[string, unknown[]]>([
    ['no arguments', []],
    ['arrays', [[], []]],
    ['64-bit states', [new Float64Array(16), codewords]],
    ['64-bit codewords', [new Float32Array(16), new Float64Array(256)]],
    ['a buffer', [new ArrayBuffer(64), codewords]],
  ])('%s', (_, values) => {
    expect(() => untyped.tabulate(...values)).toThrow(
      'tabulate: the states and the codewords must be Float32Arrays.',
    );
  });

  test.each([0, 1, 64, 192, 255, 257, 64 * 260])('%i numbers as codewords', (numbers) => {
    expect(() => library.tabulate(new Float32Array(16), new Float32Array(numbers))).toThrow(
      `tabulate: the codewords have ${numbers} numbers. They must have 64 for each of up to 256 parts.`,
    );
  });

  test.each([1, 15, 17, 16 * 32_768])('%i numbers as states', (numbers) => {
    expect(() => library.tabulate(new Float32Array(numbers), codewords)).toThrow(
      `tabulate: the states have ${numbers} numbers. They must have 16 for each of up to 32767 tokens.`,
    );
  });
});

describe('matchTokens rejects', () => {
  const tables = library.tabulate(new Float32Array(2 * 16), new Float32Array(16 * 16));
  const codes = new Uint8Array(3 * 16 * 2);
  const counts = Uint32Array.of(16, 0, 17);

  test.each<[string, unknown[]]>([
    ['no arguments', []],
    ['an array as tables', [[...tables], 2, codes, counts]],
    ['floats as tables', [new Float32Array(18), 2, codes, counts]],
    ['text as tokens', [tables, '2', codes, counts]],
    ['a buffer as codes', [tables, 2, codes.buffer, counts]],
    ['signed codes', [tables, 2, new Int8Array(codes.length), counts]],
    ['16-bit counts', [tables, 2, codes, Uint16Array.of(16, 0, 17)]],
    ['no counts', [tables, 2, codes]],
  ])('%s', (_, values) => {
    expect(() => untyped.matchTokens(...values)).toThrow(
      'matchTokens: needs tables (Uint8Array), tokens, codes (Uint8Array) and counts (Uint32Array).',
    );
  });

  test.each([0, 1, 3, 5, 2 ** 32 - 1])('tables of 2 tokens for %i tokens', (tokens) => {
    expect(() => library.matchTokens(tables, tokens, codes, counts)).toThrow(
      `matchTokens: the tables have ${tables.length} bytes, which is no size for ${tokens} tokens.`,
    );
  });

  test.each([0, 1, 8, 16, 2 * (8 + 16 * 2), 2 * (8 + 16 * 260)])(
    'tables of %i bytes for 2 tokens',
    (size) => {
      expect(() => library.matchTokens(new Uint8Array(size), 2, codes, counts)).toThrow(
        `matchTokens: the tables have ${size} bytes, which is no size for 2 tokens.`,
      );
    },
  );

  test('tables at an odd byte', () => {
    const moved = new Uint8Array(tables.length + 1).subarray(1);
    expect(() => library.matchTokens(moved, 2, codes, counts)).toThrow(
      'matchTokens: the tables must start at a multiple of 4 bytes, as those of `tabulate` do.',
    );
  });

  test.each<[string, number, number[]]>([
    ['too few codes', codes.length - 1, [16, 0, 17]],
    ['too many codes', codes.length + 1, [16, 0, 17]],
    ['codes of another number of tokens', codes.length, [16, 0, 16]],
    ['codes without passages', codes.length, []],
  ])('%s', (_, size, sizes) => {
    const needed = sizes.reduce((sum, count) => sum + Math.ceil(count / 16) * 32, 0);
    expect(() => library.matchTokens(tables, 2, new Uint8Array(size), Uint32Array.from(sizes))).toThrow(
      `matchTokens: the codes have ${size} bytes, but their tokens need ${needed}.`,
    );
  });

  test.each([65_536, 2 ** 31, 2 ** 32 - 1])('a passage of %i tokens', (count) => {
    expect(() => library.matchTokens(tables, 2, codes, Uint32Array.of(count))).toThrow(
      `matchTokens: a passage has ${count} tokens, but 65535 is the most.`,
    );
  });

  test('a kernel that this processor does not support', () => {
    expect(() => library.matchTokens(tables, 2, codes, counts, 'other')).toThrow(
      'This processor does not support the kernel other.',
    );
  });
});

test('tables of any bytes give an answer', () => {
  const random = randomNumbers(4);
  for (let i = 0; i < 50; i++) {
    const tables = Uint8Array.from({ length: 3 * (8 + 16 * 8) }, () => random() * 256);
    const codes = Uint8Array.from({ length: 2 * 16 * 4 }, () => random() * 256);
    const found = library.matchTokens(tables, 3, codes, Uint32Array.of(3, 16));
    found.forEach((value, at) => {
      if (at % 2 === 1) expect(value).toBeLessThan(at < 6 ? 3 : 16);
    });
  }
});

test('numbers of any size are tabulated', () => {
  for (const number of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, 1e-45]) {
    const codewords = gaussian(16 * 16, randomNumbers(5)).fill(number, 20, 40);
    const states = gaussian(2 * 16, randomNumbers(6)).fill(number, 3, 9);
    expect(library.tabulate(states, codewords)).toHaveLength(2 * (8 + 16 * 4));
  }
});

test('an encoder works after errors, for shorter and longer texts', () => {
  const encoder: EncoderHandle = open();
  const expected = library.run(encoder, rows);
  expect(() => library.run(encoder, new Float32Array(1))).toThrow();
  expect(library.run(encoder, gaussian(100 * 64, randomNumbers(3)))).toHaveLength(64);
  expect(library.run(encoder, rows)).toEqual(expected);
});

test('map returns the bytes of a file', () => {
  expect(Buffer.compare(library.map(path), bytes)).toBe(0);
  expect(Buffer.compare(library.map(path, true), bytes)).toBe(0);
});

test.each([
  [
    'a missing file',
    'missing',
    /: cannot be mapped into memory \(No such file or directory\)\. Check the file, or run npx polyseek index again\.$/,
  ],
  [
    'a folder',
    '.',
    /: cannot be mapped into memory \([^)]+\)\. Check the file, or run npx polyseek index again\.$/,
  ],
  [
    'an empty file',
    'empty',
    /: cannot be mapped into memory \(Invalid argument\)\. Check the file, or run npx polyseek index again\.$/,
  ],
])('map rejects %s', (_, name, sentence) => {
  writeFileSync(join(folder, 'empty'), '');
  expect(() => library.map(join(folder, name))).toThrow(sentence);
  expect(() => library.map(join(folder, name), true)).toThrow(sentence);
});
