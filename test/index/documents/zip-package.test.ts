import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Inflation } from '../../../index/documents/archive/inflation.ts';
import { Zip } from '../../../index/documents/archive/zip.ts';
import { Unreadable } from '../../../index/documents/file.ts';
import { runs } from '../../fixtures/runs.ts';
import { TRAILERS, zip, zipOf } from '../../fixtures/zip.ts';

const input = {
  path: 'a.zip',
  inflation: new Inflation(),
  report: () => {},
  failure: (reason: string, fix: string, place = 'a.zip') => new Unreadable(place, reason, fix),
};
const open = (bytes: Buffer, inflated?: number) => Zip.open(bytes, input, inflated);
const namesIn = (zip: Zip) => zip.files().map(({ name }) => name);

/** More than 64 MiB of names. */
const LONG_NAMES = Array.from({ length: 1100 }, (_, i): [string, string] => [
  `${i}${'n'.repeat(65_000)}`,
  '',
]);

describe('a package', () => {
  it('reads what was written', async () => {
    const member = fc.record({
      name: fc
        .string({ unit: 'binary', minLength: 1, maxLength: 40 })
        .map((name) => name.replace(/[\\/]/g, '_')),
      content: fc.uint8Array({ maxLength: 3000 }),
      stored: fc.boolean(),
    });
    const members = fc.uniqueArray(member, { selector: ({ name }) => name, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(members, fc.boolean(), async (files, isPadded) => {
        const entries = await open(Buffer.concat([zip(files), Buffer.alloc(isPadded ? 9 : 0)]));
        expect(namesIn(entries)).toEqual(files.map(({ name }) => name).sort());
        for (const { name, content } of files)
          expect(Buffer.from(content).equals(await entries.read(name))).toBe(true);
      }),
    );
  });

  it('names the reason for any damage, or reads on', async () => {
    const file = zip([
      { name: 'a.xml', content: 'a'.repeat(2000) },
      { name: 'ü/b.xml', content: 'text', stored: true },
    ]);
    const damage = fc.record({
      at: fc.nat(file.length - 1),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
      length: fc.oneof(fc.constant(file.length), fc.nat(file.length)),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, bytes, length }) => {
        const copy = Buffer.from(file);
        copy.set(bytes.subarray(0, file.length - at), at);
        try {
          const entries = await open(copy.subarray(0, length));
          for (const name of namesIn(entries)) await entries.read(name, 1e6);
        } catch (error) {
          expect(error).toBeInstanceOf(Unreadable);
        }
      }),
      { numRuns: runs(1000) },
    );
  });

  it.each(TRAILERS)('reads a file before %s', async (_, trailer) => {
    const entries = await open(Buffer.concat([zipOf({ a: 'Text.' }), trailer]));
    expect((await entries.read('a')).toString()).toBe('Text.');
  });

  it('reads a file with the signature of its end in its comment', async () => {
    const file = Buffer.concat([zipOf({ a: 'Text.' }), Buffer.from(`a PK\x05\x06${' '.repeat(34)}`)]);
    file.writeUInt16LE(40, file.length - 42);
    expect(namesIn(await open(file))).toEqual(['a']);
  });

  it.each([
    ['no zip file', Buffer.from('not a zip file'), 'damaged'],
    ['an empty file', Buffer.alloc(0), 'damaged'],
    ['half a file', zipOf({ a: 'b'.repeat(100), c: 'd' }).subarray(0, 60), 'damaged'],
    ['a wrong checksum', flipped(zip([{ name: 'a', content: 'text', stored: true }]), 'text'), 'damaged'],
    ['an encrypted entry', zip([{ name: 'a', content: 'b', encrypted: true }]), 'encrypted'],
    ['long names', zipOf(Object.fromEntries(LONG_NAMES)), 'too large'],
    ['a bomb', zipOf({ a: ' '.repeat(100_001) }), 'too large'],
    ['a bomb in parts', zipOf({ a: ' '.repeat(60_000), b: ' '.repeat(60_000) }), 'too large'],
    ['a bomb that hides', zip([{ name: 'a', content: ' '.repeat(1e6), declaredSize: 3 }]), 'too large'],
  ])('rejects %s', async (_, bytes, reason) => {
    const read = async () => {
      const entries = await open(bytes, 100_000);
      for (const name of namesIn(entries)) await entries.read(name);
    };
    await expect(read()).rejects.toMatchObject({ notice: { reason, place: 'a.zip' } });
  });

  it('stops inflating at the limit', async () => {
    const entries = await open(zipOf({ a: ' '.repeat(1e7) }));
    let read = 0;
    const stream = async () => {
      for await (const chunk of entries.stream('a', 50_000)) read += chunk.length;
    };
    await expect(stream()).rejects.toMatchObject({ notice: { reason: 'too large' } });
    expect(read).toBeLessThanOrEqual(50_000);
  });
});

/** The file with one bit of a text in it changed. */
function flipped(file: Buffer, text: string): Buffer {
  const copy = Buffer.from(file);
  copy[copy.indexOf(text)]! ^= 1;
  return copy;
}
