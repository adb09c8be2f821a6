import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileModel } from '../../../index/compile/compile.ts';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { readCompiledModel, withChecksum } from '../../../index/format/compiled-model.ts';
import { tinyModel, writeModel } from '../../fixtures/models/tiny-model.ts';

const into = mkdtempSync(join(tmpdir(), 'polyseek-compiled-'));
let compiled: string;
beforeAll(() => {
  const source = writeModel(tinyModel());
  compiled = compileModel(source, { into });
  rmSync(source, { recursive: true });
});
afterAll(() => rmSync(into, { recursive: true }));

/** Copies the compiled model, and damages the copy. */
function damaged(damage: (dir: string) => void): string {
  const dir = mkdtempSync(join(into, 'damaged-'));
  cpSync(compiled, dir, { recursive: true });
  damage(dir);
  return dir;
}

function change(file: string, at: number, value: number) {
  return (dir: string) => {
    const bytes = readFileSync(join(dir, file));
    bytes[at] = value;
    writeFileSync(join(dir, file), bytes);
  };
}

test('an undamaged model opens', async () => {
  const embedder = await Embedder.open(compiled, { verify: true });
  expect(await embedder.embed('the end')).toHaveLength(64);
});

test.each([
  {
    name: 'rows.bin with another magic',
    damage: change('rows.bin', 0, 'X'.charCodeAt(0)),
    message:
      /rows\.bin is damaged: it starts with "XSRW" instead of "PSRW"\. Run npx polyseek index again\.$/,
  },
  {
    name: 'rows.bin of another version',
    damage: change('rows.bin', 4, 2),
    message:
      /rows\.bin has version 2 of the format PSRW, but this polyseek reads version 1\. Run npx polyseek index again\.$/,
  },
  {
    name: 'tokenizer.bin with another magic',
    damage: change('tokenizer.bin', 3, '?'.charCodeAt(0)),
    message:
      /tokenizer\.bin is damaged: it starts with "PST\?" instead of "PSTK"\. Run npx polyseek index again\.$/,
  },
  {
    name: 'a truncated file',
    damage: (dir: string) => truncateSync(join(dir, 'rows.bin'), 100),
    message:
      /rows\.bin is damaged: it has 100 bytes, but its manifest says \d+\. Run npx polyseek index again\.$/,
  },
  {
    name: 'a missing file',
    damage: (dir: string) => unlinkSync(join(dir, 'encoder.onnx')),
    message: /encoder\.onnx is missing, but its manifest lists it\. Run npx polyseek index again\.$/,
  },
  {
    name: 'another format',
    damage: (dir: string) => {
      const model = JSON.parse(readFileSync(join(dir, 'model.json'), 'utf8'));
      writeFileSync(join(dir, 'model.json'), JSON.stringify({ ...model, format: 7 }));
    },
    message: /model\.json has format 7, but this polyseek reads format 6\. Run npx polyseek index again\.$/,
  },
  {
    name: 'a changed letter in a prefix',
    damage: (dir: string) => {
      const text = readFileSync(join(dir, 'model.json'), 'utf8');
      writeFileSync(join(dir, 'model.json'), text.replace('"query": ""', '"query": "x"'));
    },
    message:
      /model\.json is damaged: its checksum is [0-9a-f]{12}, but its contents give [0-9a-f]{12}\. Run npx polyseek index again\.$/,
  },
  {
    name: 'a truncated model.json',
    damage: (dir: string) => truncateSync(join(dir, 'model.json'), 300),
    message: /model\.json is damaged: it is not JSON\. Run npx polyseek index again\.$/,
  },
  {
    name: 'no model.json',
    damage: (dir: string) => unlinkSync(join(dir, 'model.json')),
    message: /is not a compiled model: it has no model\.json\. Run npx polyseek index again\.$/,
  },
])('refuses a model with $name, even without verifying it', async ({ damage, message }) => {
  await expect(Embedder.open(damaged(damage), { verify: false })).rejects.toThrow(message);
});

test.each(['rows.bin', 'tokenizer.bin', 'encoder.onnx', 'weights.bin'])(
  'refuses a model with a flipped bit in %s',
  async (file) => {
    const size = readFileSync(join(compiled, file)).length;
    for (const at of [0, Math.floor(size / 2), size - 1]) {
      const dir = damaged((copy) => {
        const bytes = readFileSync(join(copy, file));
        bytes[at]! ^= 1;
        writeFileSync(join(copy, file), bytes);
      });
      await expect(Embedder.open(dir, { verify: true })).rejects.toThrow(
        /is damaged: it has the checksum [0-9a-f]{8}, but its manifest says [0-9a-f]{8}\. Run npx polyseek index again\.$/,
      );
    }
  },
);

test.each<[string, object]>([
  ['name', { name: 7 }],
  ['mean', { mean: ['x'] }],
  ['dimensions', { dimensions: 0 }],
  ['maxTokens', { maxTokens: 1e9 }],
  ['prefixes', { prefixes: { query: '' } }],
  ['calibration', { calibration: { hybrid: { tokens: { weights: [1, 2] } } } }],
  ['engine', { engine: 'other' }],
  ['optimize', { optimize: 1 }],
  ['files', { files: { 'rows.bin': { bytes: -1, crc32: '' } } }],
])('refuses an invalid %s under a valid checksum', (key, changes) => {
  const dir = damaged((copy) => {
    const { checksum: _, ...model } = readCompiledModel(copy, false);
    writeFileSync(join(copy, 'model.json'), JSON.stringify(withChecksum({ ...model, ...changes })));
  });
  expect(() => readCompiledModel(dir, false)).toThrow(
    `${dir}/model.json is damaged: its ${key} is missing or invalid. Run npx polyseek index again.`,
  );
});

test('refuses the rows of another model', async () => {
  const dir = damaged((copy) => {
    const { checksum: _, ...model } = readCompiledModel(copy, false);
    writeFileSync(join(copy, 'model.json'), JSON.stringify(withChecksum({ ...model, dimensions: 32 })));
  });
  await expect(Embedder.open(dir, { verify: false })).rejects.toThrow(
    `${dir}/rows.bin is damaged: it has 64 columns and 64 position rows, but the model has 32 dimensions and 64 tokens.`,
  );
});
