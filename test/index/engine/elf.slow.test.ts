import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileLibrary } from '../../../index/engine/compile-engine.ts';
import { checkLibrary, readElf } from '../../../index/engine/elf.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
import { runs } from '../../fixtures/runs.ts';

const folder = temporaryFolder();
const require = createRequire(import.meta.url);
const engine = (platform: string) =>
  join(dirname(require.resolve('onnxruntime-node/package.json')), 'bin/napi-v3', platform);
const binding = (platform: string) => readFileSync(join(engine(platform), 'onnxruntime_binding.node'));
const NOT_ELF = /^This file is not an ELF library: [^\n]+\.$/;

let made = 0;

/** Links a library that requires symbols of these versions, against stand-ins for their libraries. Returns its path. */
function link(needs: [library: string, version: string][], ...options: string[]): string {
  const dir = join(folder, `library-${made++}`);
  mkdirSync(dir);
  const compile = (code: string, ...args: string[]) => {
    writeFileSync(join(dir, 'code.c'), code);
    execFileSync('g++', ['-shared', '-fPIC', '-nostdlib', '-x', 'c', 'code.c', '-x', 'none', ...args], {
      cwd: dir,
    });
  };
  needs.forEach(([library, version], i) => {
    writeFileSync(join(dir, 'versions'), `${version} { global: f${i}; };`);
    compile(`void f${i}(void) {}`, `-Wl,-soname,${library},--version-script=versions`, '-o', `${i}.so`);
  });
  const names = needs.map((_, i) => `f${i}`);
  const standIns = names.map((_, i) => `${i}.so`);
  compile(
    `${names.map((name) => `void ${name}(void);`).join(' ')} void use(void) { ${names.map((name) => `${name}();`).join(' ')} }`,
    ...standIns,
    ...options,
    '-o',
    'library.so',
  );
  return join(dir, 'library.so');
}

/** A library's requirements according to binutils. */
function readelf(path: string): ReturnType<typeof readElf> {
  const run = (flag: string) =>
    execFileSync('readelf', [flag, '-W', path], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  const all = (text: string, regex: RegExp) => [...text.matchAll(regex)].map((match) => match[1]!);
  const machine = all(run('-h'), /Machine:\s+(.*)/g)[0]!;
  return {
    machine: { 'Advanced Micro Devices X86-64': 'x86_64', AArch64: 'arm64' }[machine] ?? machine,
    libraries: all(run('-d'), /\(NEEDED\).*\[(.*)\]/g),
    versions: [
      ...new Set(all(run('-V'), /Name: ((?:GLIBC|GLIBCXX|CXXABI|GCC)_\S+) {2}Flags: .* {2}Version/g)),
    ].sort(),
  };
}

/** What `readElf` finds, in the order of `readelf`. */
const sorted = (bytes: Buffer) => {
  const found = readElf(bytes);
  return { ...found, versions: found.versions.sort() };
};

const SHT_DYNAMIC = 6;

/** The file offset of a library's first section of this type. */
function findSection(bytes: Buffer, type: number): number {
  const headers = Number(bytes.readBigUInt64LE(40));
  const [size, count] = [bytes.readUInt16LE(58), bytes.readUInt16LE(60)];
  const all = Array.from({ length: count }, (_, i) => headers + i * size);
  const at = all.find((header) => bytes.readUInt32LE(header + 4) === type);
  return Number(bytes.readBigUInt64LE(at! + 24));
}

describe.skipIf(process.platform !== 'linux')('readElf agrees with readelf', () => {
  const addon = compileLibrary('hnswlib');
  const engines = ['linux/x64', 'linux/arm64'].flatMap((platform) =>
    readdirSync(engine(platform)).map(
      (name) => [`${platform}/${name}`, join(engine(platform), name)] as const,
    ),
  );
  test.each([...engines, ['hnswlib.node', addon] as const])('%s', (_, path) => {
    const found = sorted(readFileSync(path));
    expect(found).toEqual(readelf(path));
    expect(found.versions.length).toBeGreaterThan(5);
  });

  test('for addresses that differ from offsets', () => {
    const path = link([['libm.so.6', 'GLIBC_2.29']], '-Wl,-Ttext-segment=0x400000');
    const found = sorted(readFileSync(path));
    expect(found).toEqual(readelf(path));
    expect(found).toMatchObject({ libraries: ['libm.so.6'], versions: ['GLIBC_2.29'] });
  });

  test('without sections, because the loader ignores them', () => {
    const path = join(folder, 'sections.so');
    const bytes = binding('linux/x64');
    const whole = readElf(bytes);
    // e_shoff, e_shnum, e_shstrndx
    bytes.fill(0, 40, 48).fill(0, 60, 64);
    writeFileSync(path, bytes);
    expect(execFileSync('readelf', ['-S', path], { encoding: 'utf8' })).toContain('no sections');
    expect(readElf(bytes)).toEqual(whole);
  });
});

test('entries after the end of the dynamic section are ignored', () => {
  const bytes = binding('linux/x64');
  const before = readElf(bytes);
  let end = findSection(bytes, SHT_DYNAMIC);
  while (bytes.readBigUInt64LE(end) !== 0n) end += 16;
  // DT_NEEDED
  bytes.writeBigUInt64LE(1n, end + 16);
  expect(readElf(bytes)).toEqual(before);
});

describe('other files', () => {
  const small = binding('linux/x64');
  const attempt = (bytes: Buffer) => {
    try {
      return readElf(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
      expect((error as Error).message).toMatch(NOT_ELF);
      return undefined;
    }
  };

  test.each([
    [
      'an empty file',
      Buffer.alloc(0),
      'it begins with nothing, and libraries for 64-bit Linux with 7f454c460201. Package it',
    ],
    ['a macOS library', binding('darwin/arm64'), 'it begins with cffaedfe0c00'],
    ['a Windows library', binding('win32/x64'), 'it begins with 4d5a'],
    ['a header alone', small.subarray(0, 20), 'its header should be at byte 0, but it has 20 bytes'],
    ['half a library', small.subarray(0, 4096), 'but it has 4096 bytes'],
  ])('%s is rejected', (_, bytes, found) => {
    expect(() => readElf(bytes)).toThrow(NOT_ELF);
    expect(() => readElf(bytes)).toThrow(found);
  });

  test('an object file is rejected by its type', () => {
    const bytes = Buffer.from(small);
    bytes.writeUInt16LE(1, 16);
    expect(() => readElf(bytes)).toThrow("its type is 1, and a shared library's is 3");
  });

  test('an unterminated name is rejected', () => {
    const bytes = Buffer.from(small);
    let size = findSection(bytes, SHT_DYNAMIC);
    // DT_STRSZ, the size of all names
    while (bytes.readBigUInt64LE(size) !== 10n) size += 16;
    bytes.writeBigUInt64LE(3n, size + 8);
    expect(() => readElf(bytes)).toThrow(
      /^This file is not an ELF library: the name at byte \d+ has no end\.$/,
    );
  });

  test('any truncation parses or gives one sentence', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: small.length }), (length) => {
        attempt(small.subarray(0, length));
      }),
    );
  });

  test('any bytes after the magic parse or give one sentence', () => {
    const magic = small.subarray(0, 6);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        attempt(Buffer.concat([magic, bytes]));
      }),
    );
  });

  test('any damage to the read regions parses or gives one sentence', () => {
    const regions = [
      [0, 1024],
      [findSection(small, SHT_DYNAMIC), 512],
    ] as const;
    const edit = fc
      .tuple(
        fc.constantFrom(...regions),
        fc.nat(),
        fc.constantFrom(1, 2, 4, 8),
        fc.bigInt(0n, 2n ** 64n - 1n),
      )
      .map(([[start, size], at, width, value]) => ({ at: start + (at % size), width, value }));
    let parsed = 0;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
        const bytes = Buffer.from(small);
        for (const { at, width, value } of edits) {
          const whole = Buffer.alloc(8);
          whole.writeBigUInt64LE(value);
          whole.copy(bytes, at, 0, width);
        }
        if (attempt(bytes)) parsed++;
      }),
      { numRuns: runs(1000) },
    );
    expect(parsed).toBeGreaterThan(0);
    expect(parsed).toBeLessThan(1000);
  });
});

describe('checkLibrary', () => {
  const beside = ['libonnxruntime.so.1.14.0'];
  const here = process.arch === 'arm64' ? 'arm64' : 'x86_64';

  test.each([
    ['linux/x64', 'x86_64'],
    ['linux/arm64', 'arm64'],
  ] as const)('accepts ONNX Runtime: %s', (platform, architecture) => {
    for (const name of readdirSync(engine(platform)))
      checkLibrary(name, readFileSync(join(engine(platform), name)), architecture, beside);
  });

  test.each([
    ['linux/x64', 'x86_64', 'arm64'],
    ['linux/arm64', 'arm64', 'x86_64'],
  ] as const)('rejects another processor: %s', (platform, found, wanted) => {
    expect(() => checkLibrary('a.node', binding(platform), wanted, beside)).toThrow(
      `a.node is compiled for ${found}, but the function runs on ${wanted}. Package it for ${wanted}.`,
    );
  });

  test('names an unknown processor by its number', () => {
    const bytes = binding('linux/x64');
    bytes.writeUInt16LE(243, 18);
    expect(() => checkLibrary('a.node', bytes, 'x86_64', beside)).toThrow('is compiled for ELF machine 243');
  });

  test('rejects a library that requires a missing library', () => {
    expect(() => checkLibrary('a.node', binding('linux/x64'), 'x86_64')).toThrow(
      /^a\.node requires libonnxruntime\.so\.1\.14\.0, which Lambda's Amazon Linux 2023 lacks\. Link it /,
    );
  });

  test('rejects other files', () => {
    expect(() => checkLibrary('a.node', Buffer.from('text'), 'x86_64')).toThrow(
      'a.node is not an ELF library: it begins with 74657874',
    );
  });

  describe.skipIf(process.platform !== 'linux')('compares symbol versions', () => {
    test.each([
      ['libc.so.6', 'GLIBC_2.34'],
      ['libc.so.6', 'GLIBC_2.2.5'],
      ['libstdc++.so.6', 'GLIBCXX_3.4'],
      ['libstdc++.so.6', 'GLIBCXX_3.4.29'],
      ['libstdc++.so.6', 'CXXABI_1.3.13'],
      ['libstdc++.so.6', 'CXXABI_FLOAT128'],
      ['libgcc_s.so.1', 'GCC_7.0.0'],
      ['libm.so.6', 'constructor_1.0'],
      ['libgcc_s.so.1', 'GCC_11.0'],
    ])('%s with %s is accepted', (library, version) => {
      checkLibrary('a.node', readFileSync(link([[library, version]])), here);
    });

    test.each([
      ['libc.so.6', 'GLIBC_2.35', 'GLIBC_2.34'],
      ['libc.so.6', 'GLIBC_3.1', 'GLIBC_2.34'],
      ['libc.so.6', 'GLIBC_ABI_DT_RELR', 'GLIBC_2.34'],
      ['libc.so.6', 'GLIBC_PRIVATE', 'GLIBC_2.34'],
      ['libstdc++.so.6', 'GLIBCXX_3.4.30', 'GLIBCXX_3.4.29'],
      ['libstdc++.so.6', 'CXXABI_1.3.14', 'CXXABI_1.3.13'],
      ['libgcc_s.so.1', 'GCC_12.0.0', 'GCC_11'],
    ])('%s with %s is rejected', (library, version, newest) => {
      expect(() => checkLibrary('a.node', readFileSync(link([[library, version]])), here)).toThrow(
        `a.node requires ${version}, but Lambda's Amazon Linux 2023 has ${newest}. Compile it on an older system,`,
      );
    });

    test('names all versions that are too new, those of the system, and a remedy', () => {
      const library = link([
        ['libc.so.6', 'GLIBC_2.17'],
        ['libm.so.6', 'GLIBC_2.36'],
        ['libstdc++.so.6', 'GLIBCXX_3.4.32'],
      ]);
      const target = here === 'arm64' ? 'aarch64' : 'x86_64';
      expect(() => checkLibrary('native/addon.node', readFileSync(library), here)).toThrow(
        new Error(
          "native/addon.node requires GLIBCXX_3.4.32, GLIBC_2.36, but Lambda's Amazon Linux 2023 has GLIBCXX_3.4.29 and " +
            'GLIBC_2.34. Compile it on an older system, install Docker, or run `pip install ziglang` and set ' +
            `CXX="python3 -m ziglang c++ -target ${target}-linux-gnu.2.34".`,
        ),
      );
    });
  });
});
