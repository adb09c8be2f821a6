import type { Architecture } from './native-sources.ts';

/** A shared library's requirements, which the dynamic loader checks. */
interface ElfLibrary {
  /** `x86_64`, `arm64`, or `ELF machine N` for others. */
  machine: string;
  /** Names of the libraries that it requires (DT_NEEDED). */
  libraries: string[];
  /** Versions of the system's symbols that it requires, such as `GLIBC_2.34`: those among its names. */
  versions: string[];
}

/**
 * The newest symbol versions in Amazon Linux 2023, the system of nodejs20.x and later. It keeps glibc 2.34 and GCC 11:
 * https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html, https://docs.aws.amazon.com/linux/al2023/ug/c-cplusplus.html.
 * GCC 11's libstdc++ has these: https://gcc.gnu.org/onlinedocs/libstdc++/manual/abi.html. libgcc uses GCC's own versions.
 */
const GLIBC = '2.34';
const NEWEST = new Map([
  ['GLIBC', GLIBC],
  ['GLIBCXX', '3.4.29'],
  ['CXXABI', '1.3.13'],
  ['GCC', '11'],
]);

/** Versions without a number, in libstdc++ since GCC 5. */
const UNNUMBERED = new Set(['CXXABI_TM_1', 'CXXABI_FLOAT128']);

/** Libraries of Lambda's image: glibc's, and those that Node requires. */
const IN_LAMBDA = new Set([
  'ld-linux-aarch64.so.1',
  'ld-linux-x86-64.so.2',
  'libc.so.6',
  'libdl.so.2',
  'libgcc_s.so.1',
  'libm.so.6',
  'libpthread.so.0',
  'librt.so.1',
  'libstdc++.so.6',
]);

/**
 * Checks that Lambda can load a library.
 * @param name of the library, for errors
 * @param beside names of the files in the same folder
 * @throws {Error} if it is no ELF library, is for another processor, requires newer symbols than Amazon Linux 2023 has, or
 * requires a library that is neither in Lambda's image nor in `beside`
 */
export function checkLibrary(
  name: string,
  bytes: Buffer,
  architecture: Architecture,
  beside: readonly string[] = [],
): void {
  const { machine, libraries, versions } = readElf(bytes, name);
  if (machine !== architecture)
    throw new Error(
      `${name} is compiled for ${machine}, but the function runs on ${architecture}. Package it for ${architecture}.`,
    );
  const tooNew = versions.filter(isTooNew).sort();
  if (tooNew.length > 0)
    throw new Error(
      `${name} requires ${tooNew.join(', ')}, but Lambda's Amazon Linux 2023 has ${newestOf(tooNew)}. ${remedy(architecture)}.`,
    );
  const missing = libraries.filter((library) => !IN_LAMBDA.has(library) && !beside.includes(library));
  if (missing.length > 0)
    throw new Error(
      `${name} requires ${missing.join(', ')}, which Lambda's Amazon Linux 2023 lacks. Link it statically, or put it beside ${name}.`,
    );
}

function remedy(architecture: Architecture): string {
  const target = `${architecture === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu.${GLIBC}`;
  return (
    'Compile it on an older system, install Docker, or run `pip install ziglang` ' +
    `and set CXX="python3 -m ziglang c++ -target ${target}"`
  );
}

function split(version: string): [family: string, number: string] {
  const at = version.indexOf('_');
  return [version.slice(0, at), version.slice(at + 1)];
}

function isTooNew(version: string): boolean {
  const [family, number] = split(version);
  // Names without a number, such as GLIBC_PRIVATE and GLIBC_ABI_DT_RELR, do not imply a release.
  return !UNNUMBERED.has(version) && (!/^\d+(\.\d+)*$/.test(number) || isAbove(number, NEWEST.get(family)!));
}

/** Whether a version is above another. Compares as many parts as the other has: 11.0 is not above 11. */
function isAbove(version: string, other: string): boolean {
  const [a, b] = [version, other].map((text) => text.split('.').map(Number)) as [number[], number[]];
  const at = b.findIndex((part, i) => (a[i] ?? 0) !== part);
  return at >= 0 && (a[at] ?? 0) > b[at]!;
}

function newestOf(versions: string[]): string {
  const families = new Set(versions.map((version) => split(version)[0]));
  return [...families].map((family) => `${family}_${NEWEST.get(family)}`).join(' and ');
}

const MACHINES: Record<number, string> = { 62: 'x86_64', 183: 'arm64' };
const [ET_DYN, PT_LOAD, PT_DYNAMIC] = [3, 1, 2];
const [DT_NULL, DT_NEEDED, DT_STRTAB, DT_STRSZ] = [0, 1, 5, 10];

/**
 * Reads a 64-bit little-endian shared library by its segments, as the dynamic loader does (System V gABI, chapters 4 and 5). Sections
 * may be stripped.
 * @param name of the library, for errors
 * @throws {Error} if the bytes are not a library of this kind
 */
export function readElf(bytes: Buffer, name = 'This file'): ElfLibrary {
  const fail = (found: string): never => {
    throw new Error(`${name} is not an ELF library: ${found}.`);
  };
  const requireBytes = (offset: number, size: number, what: string) => {
    if (offset + size > bytes.length)
      fail(`its ${what} should be at byte ${offset}, but it has ${bytes.length} bytes`);
  };
  const long = (offset: number) => Number(bytes.readBigUInt64LE(offset));

  const magic = bytes.toString('hex', 0, 6);
  if (magic !== '7f454c460201')
    fail(
      `it begins with ${magic || 'nothing'}, and libraries for 64-bit Linux with 7f454c460201. Package it for Lambda with --arch`,
    );
  requireBytes(0, 64, 'header');
  const type = bytes.readUInt16LE(16);
  if (type !== ET_DYN) fail(`its type is ${type}, and a shared library's is ${ET_DYN}`);
  const machine = bytes.readUInt16LE(18);

  const [headers, entrySize, count] = [long(32), bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  if (entrySize !== 56) fail(`its segment headers have ${entrySize} bytes, not 56`);
  requireBytes(headers, count * 56, 'segment headers');
  const segments = Array.from({ length: count }, (_, i) => {
    const at = headers + i * 56;
    return {
      type: bytes.readUInt32LE(at),
      offset: long(at + 8),
      address: long(at + 16),
      size: long(at + 32),
    };
  });
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC) ?? fail('it has no dynamic segment');
  requireBytes(dynamic.offset, dynamic.size, 'dynamic segment');

  const needed: number[] = [];
  const values = new Map<number, number>();
  for (let at = dynamic.offset; at + 16 <= dynamic.offset + dynamic.size; at += 16) {
    const tag = long(at);
    if (tag === DT_NULL) break;
    if (tag === DT_NEEDED) needed.push(long(at + 8));
    else values.set(tag, long(at + 8));
  }

  const address = values.get(DT_STRTAB) ?? -1;
  const contains = (segment: (typeof segments)[number]) =>
    segment.type === PT_LOAD && address >= segment.address && address < segment.address + segment.size;
  const segment = segments.find(contains) ?? fail('no segment contains its names');
  const start = address - segment.address + segment.offset;
  const length = values.get(DT_STRSZ) ?? 0;
  requireBytes(start, length, 'names');
  const names = bytes.toString('latin1', start, start + length);
  const nameAt = (offset: number): string => {
    const end = names.indexOf('\0', offset);
    return end < 0 ? fail(`the name at byte ${start + offset} has no end`) : names.slice(offset, end);
  };
  return {
    machine: MACHINES[machine] ?? `ELF machine ${machine}`,
    libraries: needed.map(nameAt),
    versions: names.split('\0').filter((one) => NEWEST.has(split(one)[0])),
  };
}
