import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withTemporaryFolder } from '../format/drafts.ts';
import type { Architecture } from './architecture.ts';
import { checkLibrary } from './elf.ts';

const folderOf = (name: string) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));

/** The source of the project's own engine. */
const SOURCE = fileURLToPath(new URL('./native', import.meta.url));

/** Where compiled libraries are kept, each named by what it was made from. */
const KEPT = fileURLToPath(new URL('../../build/native', import.meta.url));

/** How Node names each processor, and how Debian names compilers for it. */
const NAMES = {
  x86_64: { node: 'x64', compiler: 'x86_64-linux-gnu-g++', package: 'g++-x86-64-linux-gnu' },
  arm64: { node: 'arm64', compiler: 'aarch64-linux-gnu-g++', package: 'g++-aarch64-linux-gnu' },
};

/** With paths from a folder that `stage` filled. Sums are not contracted, so that all processors give the same bits. */
const ARGUMENTS = [
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
 * The project's own engine, compiled at the first call: by this machine's compiler where its result runs on the target, else in
 * Docker, in the image that CDK bundles with.
 * @param architecture for Lambda's Amazon Linux 2023 on this processor; without it, for this machine
 * @returns the library's path
 */
export function compileEngine(architecture?: Architecture): Promise<string> {
  const target = architecture ?? 'here';
  const making = libraries.get(target) ?? makeLibrary(architecture);
  libraries.set(target, making);
  // A compiler may be installed meanwhile.
  making.catch(() => libraries.delete(target));
  return making;
}

/** The libraries that this process has asked for. */
const libraries = new Map<string, Promise<string>>();

async function makeLibrary(architecture?: Architecture): Promise<string> {
  const sources = readdirSync(SOURCE).map((name) => readFileSync(join(SOURCE, name), 'utf8'));
  const target = architecture ?? `${process.platform}-${process.arch}`;
  const made = JSON.stringify([sources, ARGUMENTS, architecture && process.env.CXX]);
  const hash = createHash('sha256').update(made).digest('hex').slice(0, 12);
  const kept = join(KEPT, `${target}-${hash}.node`);
  if (existsSync(kept)) return kept;

  const failures: string[] = [];
  for (const compile of architecture ? [compileHere, compileInDocker] : [compileHere]) {
    const draft = `${kept}.${process.pid}.new`;
    try {
      await withTemporaryFolder(draft, async () => {
        stage(draft);
        await compile(draft, architecture);
        const library = join(draft, 'engine.node');
        if (architecture) checkLibrary('engine.node', readFileSync(library), architecture);
        renameSync(library, kept);
      });
      return kept;
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(
    `The engine could not be compiled for ${architecture ? `Lambda on ${architecture}` : 'this machine'}. ${failures.join(' ')}`,
  );
}

/** Copies all that the compiler reads into one folder, which a container can mount. */
function stage(folder: string): void {
  cpSync(SOURCE, folder, { recursive: true });
  cpSync(join(folderOf('node-api-headers'), 'include'), join(folder, 'node'), { recursive: true });
}

/** @param architecture of Lambda, for which CXX may name a compiler; this machine's own compiler serves it alone */
function compileHere(folder: string, architecture?: Architecture): void {
  const host = process.platform === 'linux' ? 'g++' : 'c++';
  const chosen = architecture && process.env.CXX?.split(' ').filter(Boolean);
  if (architecture && process.platform !== 'linux' && !chosen?.length)
    throw new Error(
      `Compilers of ${process.platform} make nothing for Linux, unless CXX names one that does.`,
    );
  const here =
    !architecture || NAMES[architecture].node === process.arch ? host : NAMES[architecture].compiler;
  const [program = here, ...first] = chosen ?? [];
  // Node has what the library lacks; macOS's linker must be told.
  const last = !architecture && process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : ['-s'];
  try {
    execFileSync(program, [...first, ...ARGUMENTS, ...last], { cwd: folder, stdio: 'pipe' });
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing) throw new Error(`${program} failed: ${firstLine(error)}`);
    const needed = architecture && here !== host ? NAMES[architecture].package : 'g++';
    const remedy = program === here ? `on Debian, apt-get install ${needed}` : 'install it, or unset CXX';
    throw new Error(`${program} is not installed: ${remedy}.`);
  }
}

async function compileInDocker(folder: string, architecture: Architecture = 'x86_64'): Promise<void> {
  const { DockerImage } = await import('aws-cdk-lib/core');
  const { Architecture: Architectures, Runtime } = await import('aws-cdk-lib/aws-lambda');
  const { dockerPlatform } = architecture === 'arm64' ? Architectures.ARM_64 : Architectures.X86_64;
  try {
    DockerImage.fromRegistry(Runtime.NODEJS_24_X.bundlingImage.image).run({
      platform: dockerPlatform,
      command: ['g++', ...ARGUMENTS, '-s'],
      volumes: [{ hostPath: folder, containerPath: '/asset' }],
      workingDirectory: '/asset',
      user: `${process.getuid?.() ?? 1000}:${process.getgid?.() ?? 1000}`,
    });
  } catch (error) {
    throw new Error(`Docker, the other way, failed: ${firstLine(error)}`);
  }
}

function firstLine(error: unknown): string {
  const text =
    error instanceof Error && 'stderr' in error ? String(error.stderr) || error.message : String(error);
  return text.split('\n').find((line) => line.includes('rror')) ?? text.split('\n')[0]!;
}
