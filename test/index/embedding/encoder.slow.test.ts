import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { PackedEncoder } from '../../../index/embedding/encoder.ts';
import { loadLibrary } from '../../../index/engine/load-native.ts';
import { defaultModel, dot, onnxModel, temporaryFolder } from '../../fixtures/index.ts';

const { dir } = defaultModel();
const library = await loadLibrary();
const open = (path: string, kernel?: string) =>
  new PackedEncoder(path, readFileSync(path), library, { kernel });
const folder = temporaryFolder();
const path = join(folder, 'encoder.bin');

test('the default model’s embeddings equal those of ONNX Runtime, except for rounding', async () => {
  const own = await Embedder.open(dir, { verify: true });
  const other = await Embedder.open(onnxModel().dir, { verify: true });
  expect([own.model.engine, other.model.engine]).toEqual(['packed', 'onnx']);
  const texts = [
    'Who may be held in slavery?',
    'Wie hoch ist der höchste Berg der Alpen?',
    '长城有多长？',
    'متى ولد الشاعر؟',
    'सभी मनुष्यों को गौरव और अधिकारों के मामले में समानता प्राप्त है।',
    'a',
    'The river flows into the sea near the town. '.repeat(60),
  ];
  for (const text of texts)
    expect(dot(await own.embed(text, 'query'), await other.embed(text, 'query')), text).toBeGreaterThan(
      0.9993,
    );
});

test('rejects rows of another size', async () => {
  const encoder = open(join(dir, 'encoder.bin'));
  for (const numbers of [0, 1, 513 * 384])
    await expect(encoder.run(new Float32Array(numbers))).rejects.toThrow(
      `run: the rows have ${numbers} numbers. They must have 384 for each of 1 to 512 tokens.`,
    );
});

test('rejects a damaged file', () => {
  const bytes = readFileSync(join(dir, 'encoder.bin'));
  const damaged = (change: (copy: Buffer) => void) => {
    const copy = Buffer.from(bytes);
    change(copy);
    writeFileSync(path, copy);
    return () => open(path);
  };
  expect(damaged((copy) => copy.write('XSEN'))).toThrow(/encoder\.bin is damaged: it starts with "XSEN"/);
  expect(damaged((copy) => copy.writeUInt32LE(9, 4))).toThrow(
    /encoder\.bin has version 9 of the format PSEN, but/,
  );
  // One layer too many, then columns that are not a multiple of 64.
  expect(damaged((copy) => copy.writeUInt32LE(13, 80 + 4))).toThrow('shorter than its settings require');
  expect(damaged((copy) => copy.writeUInt32LE(380, 80))).toThrow('not multiples of the engine');
  // A section past the end of the file.
  expect(damaged((copy) => copy.writeDoubleLE(1e12, 64))).toThrow('encoder.bin');
  damaged(() => {});
  truncateSync(path, 1000);
  expect(() => open(path)).toThrow(/encoder\.bin is damaged: it has 1000 bytes/);
});

test('rejects a kernel that this processor does not support', () => {
  const encoder = join(dir, 'encoder.bin');
  expect(() => open(encoder, 'other')).toThrow('This processor does not support the kernel other.');
});
