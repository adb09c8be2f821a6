import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createDraft, removeStaleDrafts } from '../format/drafts.ts';
import { compiledFolder } from '../format/installation.ts';
import { messageOf } from '../kit/errors.ts';
import { checkLibrary } from './elf.ts';
import {
  type Architecture,
  COMPILER_ARGUMENTS,
  digestPath,
  isIntact,
  type LibraryName,
  prebuiltLibrary,
  readSource,
  stageSource,
  writeDigest,
} from './native-sources.ts';

/** The folder of compiled libraries. Each name contains a hash of the source and the compiler's arguments. */
const CACHE = compiledFolder('native');

/** Each processor's name in Node, and its compiler's in Debian. */
const TARGETS = {
  x86_64: { node: 'x64', compiler: 'x86_64-linux-gnu-g++', package: 'g++-x86-64-linux-gnu' },
  arm64: { node: 'arm64', compiler: 'aarch64-linux-gnu-g++', package: 'g++-aarch64-linux-gnu' },
};

/**
 * Compiles a library for this machine with its compiler, or finds it compiled and intact.
 * @returns the library's path
 * @throws {Error} if the compiler is missing or fails, with the reason
 */
export function compileLibrary(name: LibraryName): string {
  const library = libraryPath(undefined, name);
  const failure = isIntact(library) ? undefined : tryCompile(library, name, compileHere);
  if (failure) throw new Error(`Cannot compile ${describe(name)} for this machine. ${failure}`);
  return library;
}

export function compileEngine(architecture?: Architecture): Promise<string> {
  return provideLibrary('engine', architecture);
}

/**
 * Finds a library in the npm package, or compiles it. Uses this machine's compiler, or Docker with CDK's bundling image if that fails.
 * @param architecture Lambda's processor; by default, this machine's
 * @returns the library's path
 * @throws {Error} if neither compiler works, with the reason of each
 */
export async function provideLibrary(name: LibraryName, architecture?: Architecture): Promise<string> {
  const prebuilt = prebuiltLibrary(name, architecture);
  if (prebuilt) return prebuilt;
  return architecture ? compileForLambda(name, architecture) : compileLibrary(name);
}

/** Compiles a library that Amazon Linux 2023 and all newer systems with glibc load, or finds it compiled and intact. Errors as of `provideLibrary`. */
export async function compileForLambda(name: LibraryName, architecture: Architecture): Promise<string> {
  const library = libraryPath(architecture, name);
  if (isIntact(library)) return library;
  const failure = tryCompile(library, name, compileHere, architecture);
  if (!failure) return library;
  const failureInDocker = tryCompile(library, name, await dockerCompiler(), architecture);
  if (!failureInDocker) return library;
  throw new Error(
    `Cannot compile ${describe(name)} for Lambda on ${architecture}. ${failure} ${failureInDocker}`,
  );
}

/** The path of a library: its name contains a hash of its source, the compiler's arguments and CXX. */
export function libraryPath(architecture?: Architecture, name: LibraryName = 'engine'): string {
  const target = architecture ?? `${process.platform}-${process.arch}`;
  const inputs = JSON.stringify([
    readSource(name),
    COMPILER_ARGUMENTS[name],
    architecture && process.env.CXX,
  ]);
  const hash = createHash('sha256').update(inputs).digest('hex').slice(0, 12);
  return join(CACHE, `${name}-${target}-${hash}.node`);
}

/** Runs a compiler on a folder that contains the staged source. Without an architecture, it compiles for this machine. */
type Compile = (folder: string, name: LibraryName, architecture?: Architecture) => void;

/** Compiles a library into a draft, which then becomes the library. Returns the reason if that fails. */
function tryCompile(
  library: string,
  name: LibraryName,
  compile: Compile,
  architecture?: Architecture,
): string | undefined {
  removeStaleDrafts(library);
  const draft = createDraft(library);
  const file = `${name}.node`;
  try {
    stageSource(draft, name);
    compile(draft, name, architecture);
    if (architecture) checkLibrary(file, readFileSync(join(draft, file)), architecture);
    writeDigest(join(draft, file), basename(library));
    // A library without its digest counts as damaged, and is compiled again.
    renameSync(digestPath(join(draft, file)), digestPath(library));
    renameSync(join(draft, file), library);
    return undefined;
  } catch (error) {
    return messageOf(error);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

const describe = (name: LibraryName) => (name === 'engine' ? 'the engine' : 'hnswlib, which builds indexes,');

/**
 * The compiler of this machine, and its first arguments.
 * @param architecture of Lambda, whose compiler CXX may name; without it, compiles for this machine and ignores CXX
 * @throws if this system cannot compile for Lambda
 */
export function compilerFor(architecture?: Architecture): {
  program: string;
  first: string[];
  remedy: string;
} {
  const host = process.platform === 'linux' ? 'g++' : 'c++';
  const [chosen, ...first] = (architecture && process.env.CXX?.split(' ').filter(Boolean)) || [];
  if (chosen) return { program: chosen, first, remedy: 'Install it, or unset CXX.' };
  if (architecture && process.platform !== 'linux')
    throw new Error(
      `The compiler of ${process.platform} cannot compile for Linux. Set CXX to one that can, such as zig's.`,
    );
  return !architecture || TARGETS[architecture].node === process.arch
    ? { program: host, first, remedy: installHint('g++') }
    : { program: TARGETS[architecture].compiler, first, remedy: installHint(TARGETS[architecture].package) };
}

function compileHere(folder: string, name: LibraryName, architecture?: Architecture): void {
  const { program, first, remedy } = compilerFor(architecture);
  // Node provides the missing symbols. macOS's linker requires an option for that.
  const last = !architecture && process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : ['-s'];
  try {
    execFileSync(program, [...first, ...COMPILER_ARGUMENTS[name], ...last], { cwd: folder, stdio: 'pipe' });
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing) throw new Error(`${program} failed: ${firstError(error)}`);
    throw new Error(`${program} is not installed. ${remedy}`);
  }
}

function installHint(debianPackage: string): string {
  if (process.platform === 'darwin') return 'Run xcode-select --install.';
  if (process.platform === 'win32') return 'Use polyseek in WSL, which needs no compiler.';
  return `On Debian, run apt-get install ${debianPackage}. On Alpine, run apk add g++.`;
}

/** A compiler in Docker, with the image in which CDK bundles functions. */
async function dockerCompiler(): Promise<Compile> {
  const { DockerImage } = await import('aws-cdk-lib/core');
  const { Architecture: Architectures, Runtime } = await import('aws-cdk-lib/aws-lambda');
  return (folder, name, architecture) => {
    const { dockerPlatform } = architecture === 'arm64' ? Architectures.ARM_64 : Architectures.X86_64;
    try {
      DockerImage.fromRegistry(Runtime.NODEJS_24_X.bundlingImage.image).run({
        platform: dockerPlatform,
        command: ['g++', ...COMPILER_ARGUMENTS[name], '-s'],
        volumes: [{ hostPath: folder, containerPath: '/asset' }],
        workingDirectory: '/asset',
        user: `${process.getuid?.() ?? 1000}:${process.getgid?.() ?? 1000}`,
      });
    } catch (error) {
      throw new Error(`Docker failed too: ${firstError(error)}`);
    }
  };
}

/** The first line of a command's output that contains an error, or its first line. */
function firstError(error: unknown): string {
  const text =
    error instanceof Error && 'stderr' in error ? String(error.stderr) || error.message : String(error);
  return text.split('\n').find((line) => line.includes('rror')) ?? text.split('\n')[0]!;
}
