import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileModel } from '../../../index/compile/compile.ts';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { tinyModel, writeModel } from '../../fixtures/models/tiny-model.ts';

const into = mkdtempSync(join(tmpdir(), 'polyseek-compiled-'));
let compiled: string;
beforeAll(() => {
  const source = writeModel(tinyModel());
  compiled = compileModel(source, { into });
  rmSync(source, { recursive: true });
});
afterAll(() => rmSync(into, { recursive: true }));

/** A copy of the compiled model that something has been done to. */
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

test('opens whole', async () => {
  const embedder = await Embedder.open(compiled, { verify: true });
  expect(await embedder.embed('the end')).toHaveLength(64);
});

test.each([
  {
    name: 'rows.bin with another magic',
    damage: change('rows.bin', 0, 'X'.charCodeAt(0)),
    message: /^rows\.bin starts with "XSRW" where PSRW version 1 was expected: build it again\.$/,
  },
  {
    name: 'rows.bin of another version',
    damage: change('rows.bin', 4, 2),
    message: /^rows\.bin is PSRW version 2, but this polyseek reads PSRW version 1: build it again\.$/,
  },
  {
    name: 'tokenizer.bin with another magic',
    damage: change('tokenizer.bin', 3, '?'.charCodeAt(0)),
    message: /^tokenizer\.bin starts with "PST\?" where PSTK version 1 was expected: build it again\.$/,
  },
  {
    name: 'a file cut short',
    damage: (dir: string) => truncateSync(join(dir, 'rows.bin'), 100),
    message: /rows\.bin has 100 bytes where its manifest says \d+: it is damaged, build it again\.$/,
  },
  {
    name: 'a missing file',
    damage: (dir: string) => unlinkSync(join(dir, 'encoder.onnx')),
    message: /encoder\.onnx is missing though its manifest lists it: build it again\.$/,
  },
  {
    name: 'another format',
    damage: (dir: string) => {
      const model = JSON.parse(readFileSync(join(dir, 'model.json'), 'utf8'));
      writeFileSync(join(dir, 'model.json'), JSON.stringify({ ...model, format: 7 }));
    },
    message: /^The compiled model has format 7, but this polyseek reads 3: compile it again/,
  },
])('is refused with $name, even unverified', async ({ damage, message }) => {
  await expect(Embedder.open(damaged(damage), { verify: false })).rejects.toThrow(message);
});

test.each(['rows.bin', 'tokenizer.bin', 'encoder.onnx', 'weights.bin'])(
  'is refused with a flipped bit in %s',
  async (file) => {
    const size = readFileSync(join(compiled, file)).length;
    for (const at of [0, Math.floor(size / 2), size - 1]) {
      const dir = damaged((copy) => {
        const bytes = readFileSync(join(copy, file));
        bytes[at]! ^= 1;
        writeFileSync(join(copy, file), bytes);
      });
      await expect(Embedder.open(dir, { verify: true })).rejects.toThrow(
        /has checksum [0-9a-f]{8} where its manifest says [0-9a-f]{8}: it is damaged, build it again\.$/,
      );
    }
  },
);
