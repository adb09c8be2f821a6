import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDraft, removeStaleDrafts, withTemporaryFolder } from '../format/drafts.ts';
import type { Architecture } from './architecture.ts';
import { checkLibrary } from './elf.ts';

const folderOf = (name: string) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));

/** The engine's C++ source. */
const SOURCE = fileURLToPath(new URL('./native', import.meta.url));

/** The folder of compiled libraries. Each name contains a hash of the source and the compiler's arguments. */
const CACHE = fileURLToPath(new URL('../../build/native', import.meta.url));

/** Each processor's name in Node, and its compiler's in Debian. */
const TARGETS = {
  x86_64: { node: 'x64', compiler: 'x86_64-linux-gnu-g++', package: 'g++-x86-64-linux-gnu' },
  arm64: { node: 'arm64', compiler: 'aarch64-linux-gnu-g++', package: 'g++-aarch64-linux-gnu' },
};

/** The compiler's arguments, for a folder that `stageSource` filled. Without contraction, all processors return the same bits. */
export const COMPILER_ARGUMENTS = [
  ...[
    '-shared',
    '-fPIC',
    '-O3',
    '-std=gnu++17',
    '-ffp-contract=off',
    '-fno-math-errno',
    '-fvisibility=hidden',
  ],
  ...['-Wno-psabi', '-DNODE_GYP_MODULE_NAME=engine', '-I', 'node', '-o', 'engine.node', 'engine.cc'],
];

/**
 * Compiles the engine, or finds it compiled. Uses this machine's compiler, or Docker with CDK's bundling image if that fails.
 * @param architecture Lambda's processor; by default, compiles for this machine
 * @returns the library's path
 * @throws {Error} if neither compiler works, with the reason of each
 */
export function compileEngine(architecture?: Architecture): Promise<string> {
  const target = architecture ?? 'host';
  const library = libraries.get(target) ?? findOrCompile(architecture);
  libraries.set(target, library);
  // The user may install a compiler before the next call.
  library.catch(() => libraries.delete(target));
  return library;
}

/** The libraries that this process has requested. */
const libraries = new Map<string, Promise<string>>();

/** The path of a library: its name contains a hash of its source, the compiler's arguments and CXX. */
export function libraryPath(architecture?: Architecture): string {
  const sources = readdirSync(SOURCE).map((name) => readFileSync(join(SOURCE, name), 'utf8'));
  const target = architecture ?? `${process.platform}-${process.arch}`;
  const inputs = JSON.stringify([sources, COMPILER_ARGUMENTS, architecture && process.env.CXX]);
  const hash = createHash('sha256').update(inputs).digest('hex').slice(0, 12);
  return join(CACHE, `${target}-${hash}.node`);
}

async function findOrCompile(architecture?: Architecture): Promise<string> {
  const cached = libraryPath(architecture);
  if (existsSync(cached)) return cached;

  const failures: string[] = [];
  for (const compile of architecture ? [compileHere, compileInDocker] : [compileHere]) {
    removeStaleDrafts(cached);
    const draft = createDraft(cached);
    try {
      await withTemporaryFolder(draft, async () => {
        stageSource(draft);
        await compile(draft, architecture);
        const library = join(draft, 'engine.node');
        if (architecture) checkLibrary('engine.node', readFileSync(library), architecture);
        renameSync(library, cached);
      });
      return cached;
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(
    `Cannot compile the engine for ${architecture ? `Lambda on ${architecture}` : 'this machine'}. ${failures.join(' ')}`,
  );
}

/** Copies the source and Node's headers into one folder, which a container can mount. */
export function stageSource(folder: string): void {
  cpSync(SOURCE, folder, { recursive: true });
  cpSync(join(folderOf('node-api-headers'), 'include'), join(folder, 'node'), { recursive: true });
}

/** @param architecture of Lambda, whose compiler CXX may name; without it, compiles for this machine and ignores CXX */
function compileHere(folder: string, architecture?: Architecture): void {
  const host = process.platform === 'linux' ? 'g++' : 'c++';
  const chosen = architecture && process.env.CXX?.split(' ').filter(Boolean);
  if (architecture && process.platform !== 'linux' && !chosen?.length)
    throw new Error(
      `The compiler of ${process.platform} cannot compile for Linux. Set CXX to one that can, such as zig's.`,
    );
  const fallback =
    !architecture || TARGETS[architecture].node === process.arch ? host : TARGETS[architecture].compiler;
  const [program = fallback, ...first] = chosen ?? [];
  // Node provides the missing symbols. macOS's linker requires an option for that.
  const last = !architecture && process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : ['-s'];
  try {
    execFileSync(program, [...first, ...COMPILER_ARGUMENTS, ...last], { cwd: folder, stdio: 'pipe' });
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing) throw new Error(`${program} failed: ${firstError(error)}`);
    const needed = architecture && fallback !== host ? TARGETS[architecture].package : 'g++';
    const remedy =
      program === fallback ? `On Debian, run apt-get install ${needed}.` : 'Install it, or unset CXX.';
    throw new Error(`${program} is not installed. ${remedy}`);
  }
}

async function compileInDocker(folder: string, architecture: Architecture = 'x86_64'): Promise<void> {
  const { DockerImage } = await import('aws-cdk-lib/core');
  const { Architecture: Architectures, Runtime } = await import('aws-cdk-lib/aws-lambda');
  const { dockerPlatform } = architecture === 'arm64' ? Architectures.ARM_64 : Architectures.X86_64;
  try {
    DockerImage.fromRegistry(Runtime.NODEJS_24_X.bundlingImage.image).run({
      platform: dockerPlatform,
      command: ['g++', ...COMPILER_ARGUMENTS, '-s'],
      volumes: [{ hostPath: folder, containerPath: '/asset' }],
      workingDirectory: '/asset',
      user: `${process.getuid?.() ?? 1000}:${process.getgid?.() ?? 1000}`,
    });
  } catch (error) {
    throw new Error(`Docker failed too: ${firstError(error)}`);
  }
}

/** The first line of a command's output that contains an error, or its first line. */
function firstError(error: unknown): string {
  const text =
    error instanceof Error && 'stderr' in error ? String(error.stderr) || error.message : String(error);
  return text.split('\n').find((line) => line.includes('rror')) ?? text.split('\n')[0]!;
}
