import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadLibrary } from '#native';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { BLOCK, compareBlocks, openChecks, writeChecks } from '../../../index/format/checks.ts';
import { headBytes, writeSections } from '../../../index/format/container.ts';
import { ContainerFile } from '../../../index/format/container-file.ts';
import { crc32c } from '../../../index/format/crc32c.ts';
import { defaultModel, temporaryFolder } from '../../fixtures/index.ts';
import { runs } from '../../fixtures/runs.ts';

const FORMAT = { magic: 'TEST', version: 1, sections: 1 };

const folder = temporaryFolder();
const path = join(folder, 'a.bin');
const library = await loadLibrary();

/** Sizes around multiples of a block, which `compareBlocks` treats in groups of four. */
const anySize = fc.oneof(
  fc.nat(3),
  fc.tuple(fc.nat(10), fc.integer({ min: -9, max: 9 })).map(([n, d]) => Math.max(0, n * BLOCK + d)),
);

/** Bytes that look random. */
function noise(size: number, seed: number): Buffer {
  let state = seed | 1;
  const bytes = Uint8Array.from({ length: size }, () => {
    state = Math.imul(state, 48_271);
    return state >>> 24;
  });
  return Buffer.from(bytes);
}

test('the checksum is CRC-32C', () => {
  // The check value of its specifications, and an example of RFC 3720, appendix B.4.
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  // Its definition, bit by bit, for more bytes than the module's memory has.
  const bytes = noise(150_000, 7);
  let register = -1;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ (register & 1 ? 0x82f63b78 : 0);
  }
  expect(crc32c(bytes)).toBe(~register >>> 0);
});

test('the native comparison finds the same block as the portable one, with every kernel', () => {
  fc.assert(
    fc.property(anySize, fc.nat(), fc.nat(), fc.boolean(), (size, seed, place, isDamaged) => {
      const bytes = noise(size + 1, seed).subarray(1);
      const checksums = Uint32Array.from({ length: Math.ceil(size / BLOCK) }, (_, i) =>
        crc32c(bytes.subarray(i * BLOCK, (i + 1) * BLOCK)),
      );
      expect(compareBlocks(bytes, checksums)).toBe(-1);
      if (isDamaged && size > 0) bytes[place % size]! ^= 1 << (seed % 8);
      const expected = isDamaged && size > 0 ? Math.floor((place % size) / BLOCK) : -1;
      expect(compareBlocks(bytes, checksums)).toBe(expected);
      for (const kernel of library.kernels)
        expect(library.compareBlocks(bytes, checksums, kernel)).toBe(expected);
    }),
  );
});

test('the native comparison refuses another number of checksums', () => {
  for (const count of [0, 2])
    expect(() => library.compareBlocks(new Uint8Array(5), new Uint32Array(count))).toThrow(
      'compareBlocks: needs a Uint8Array, and a Uint32Array with a number for each 4096 bytes.',
    );
});

test('reads in any order return the bytes of the file, or say that a block of them is damaged', () => {
  const reads = fc.array(fc.tuple(fc.nat(), fc.nat(3 * BLOCK)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(anySize, fc.nat(), fc.nat(), reads, (size, seed, place, all) => {
      const section = noise(size + 1, seed);
      const bytes = writeSections(FORMAT, [section]);
      writeFileSync(path, bytes);
      writeChecks(folder, ['a.bin']);
      const at = place % bytes.length;
      writeFileSync(path, bytes.with(at, bytes[at]! ^ 1));
      const block = Math.floor(at / BLOCK);
      const damage = `${path} is damaged: the checksum of its block ${block} differs. Package and deploy the function again.`;
      const open = () => new ContainerFile(path, FORMAT, openChecks(folder, compareBlocks)!.of('a.bin'));
      if (block === 0) {
        expect(open).toThrow(damage);
        return;
      }
      const file = open();
      for (const [from, length] of all) {
        const start = from % section.length;
        const wanted = Buffer.alloc(Math.min(length, section.length - start));
        const place = headBytes(1) + start;
        const [first, end] = [Math.floor(place / BLOCK), Math.ceil((place + wanted.length) / BLOCK)];
        if (wanted.length > 0 && first <= block && block < end)
          expect(() => file.fill(wanted, 0, start)).toThrow(damage);
        else {
          file.fill(wanted, 0, start);
          expect(wanted.equals(section.subarray(start, start + wanted.length))).toBe(true);
        }
      }
      file.close();
    }),
    { numRuns: runs(50) },
  );
});

test('a file of another size, and one without checksums, are refused', () => {
  writeFileSync(path, noise(9000, 1));
  writeChecks(folder, ['a.bin']);
  const checks = openChecks(folder, compareBlocks)!;
  expect(() => checks.of('b.bin')).toThrow('checks.bin is damaged: it has no checksums of b.bin.');
  truncateSync(path, 8999);
  expect(() => new ContainerFile(path, FORMAT, checks.of('a.bin'))).toThrow(
    'a.bin is damaged: it has 8999 bytes, but 9000 were packaged.',
  );
  expect(() => checks.of('a.bin').checkAll(readFileSync(path))).toThrow('but 9000 were packaged');
});

test('any damage to the checksums themselves is found', () => {
  writeFileSync(path, noise(3 * BLOCK, 1));
  writeChecks(folder, ['a.bin']);
  const own = join(folder, 'checks.bin');
  const bytes = readFileSync(own);
  // After the last checksum, zeros fill the file up to a multiple of 8.
  const padding = 4;
  for (let at = 0; at < bytes.length - padding; at++) {
    writeFileSync(own, bytes.with(at, bytes[at]! ^ 16));
    expect(() => openChecks(folder, compareBlocks), `byte ${at}`).toThrow(
      /checks\.bin (is damaged|has version)/,
    );
    writeFileSync(own, bytes.subarray(0, at));
    expect(() => openChecks(folder, compareBlocks), `cut at ${at}`).toThrow('checks.bin is damaged');
  }
});

test.skipIf(process.platform !== 'linux')('a model with a damaged encoder leaves no file open', async () => {
  const model = join(folder, 'model');
  cpSync(defaultModel().dir, model, { recursive: true });
  writeChecks(model, readdirSync(model));
  const encoder = join(model, 'encoder.bin');
  const bytes = readFileSync(encoder);
  writeFileSync(encoder, bytes.with(bytes.length - 9, bytes.at(-9)! ^ 1));
  const opened = () => readdirSync('/proc/self/fd').length;
  const before = opened();
  for (let i = 0; i < 20; i++)
    await expect(Embedder.open(model, { verify: 'blocks' })).rejects.toThrow(
      /encoder\.bin is damaged: the checksum of its block \d+ differs/,
    );
  expect(opened()).toBeLessThan(before + 10);
});
