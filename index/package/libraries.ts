import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkLibrary } from './elf.ts';

/** A processor that Lambda offers, by Lambda's name. */
export type Architecture = 'x86_64' | 'arm64';

const require = createRequire(import.meta.url);
const folderOf = (name: string) => dirname(require.resolve(`${name}/package.json`));

/** Where compiled libraries are kept, each named by what it was made from. */
const KEPT = fileURLToPath(new URL('../../build/native', import.meta.url));

/** How Node names each processor, and how Debian names compilers for it. */
const NAMES = {
  x86_64: { node: 'x64', compiler: 'x86_64-linux-gnu-g++', package: 'g++-x86-64-linux-gnu' },
  arm64: { node: 'arm64', compiler: 'aarch64-linux-gnu-g++', package: 'g++-aarch64-linux-gnu' },
};

/** What hnswlib-node's binding.gyp and Node's own settings for addons come to, with paths from a folder that `stage` filled. */
const ARGUMENTS = [
  ...['-shared', '-fPIC', '-O3', '-std=gnu++17', '-s'],
  ...['-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DNODE_GYP_MODULE_NAME=addon', '-DBUILDING_NODE_EXTENSION'],
  ...['-I', 'node', '-I', 'napi', '-o', 'addon.node', 'src/addon.cc'],
];

/**
 * Puts the engine's and the graph's native libraries into a new folder.
 * @param architecture for Lambda on this processor; without it, for this machine
 * @throws if the graph's library cannot be compiled for Lambda here, saying for each way why
 */
export async function copyLibraries(out: string, architecture?: Architecture): Promise<void> {
  const platform = architecture ? 'linux' : process.platform;
  const processor = architecture ? NAMES[architecture].node : process.arch;
  const engine = join(folderOf('onnxruntime-node'), 'bin/napi-v3', platform, processor);
  const graph = architecture
    ? await graphLibrary(architecture)
    : join(folderOf('hnswlib-node'), 'build/Release/addon.node');
  mkdirSync(out);
  for (const name of readdirSync(engine)) cpSync(join(engine, name), join(out, name));
  cpSync(graph, join(out, 'addon.node'));
}

/**
 * hnswlib-node's library for Amazon Linux 2023, compiled at the first call: by this machine's compiler where its result runs
 * there, else in Docker, in the image that CDK bundles with.
 */
async function graphLibrary(architecture: Architecture): Promise<string> {
  const versions = ['hnswlib-node', 'node-addon-api', 'node-api-headers'].map(
    (name) => readFileSync(join(folderOf(name), 'package.json'), 'utf8').match(/"version": "(.+)"/)?.[1],
  );
  const made = JSON.stringify([versions, ARGUMENTS, process.env.CXX]);
  const hash = createHash('sha256').update(made).digest('hex').slice(0, 12);
  const kept = join(KEPT, `${architecture}-${hash}.node`);
  if (existsSync(kept)) return kept;

  const failures: string[] = [];
  for (const compile of [compileHere, compileInDocker]) {
    const draft = `${kept}.${process.pid}.new`;
    try {
      stage(draft);
      await compile(draft, architecture);
      const library = join(draft, 'addon.node');
      checkLibrary('addon.node', readFileSync(library), architecture);
      renameSync(library, kept);
      return kept;
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  throw new Error(`hnswlib-node could not be compiled for Lambda on ${architecture}. ${failures.join(' ')}`);
}

/** Copies all that the compiler reads into one folder, which a container can mount. */
function stage(folder: string): void {
  cpSync(join(folderOf('hnswlib-node'), 'src'), join(folder, 'src'), { recursive: true });
  cpSync(join(folderOf('node-api-headers'), 'include'), join(folder, 'node'), { recursive: true });
  for (const name of ['napi.h', 'napi-inl.h', 'napi-inl.deprecated.h'])
    cpSync(join(folderOf('node-addon-api'), name), join(folder, 'napi', name));
}

function compileHere(folder: string, architecture: Architecture): void {
  const { node, compiler, package: name } = NAMES[architecture];
  if (process.platform !== 'linux' && !process.env.CXX)
    throw new Error(
      `Compilers of ${process.platform} make nothing for Linux, unless CXX names one that does.`,
    );
  const here = node === process.arch ? 'g++' : compiler;
  const [program = here, ...first] = process.env.CXX?.split(' ').filter(Boolean) ?? [];
  try {
    execFileSync(program, [...first, ...ARGUMENTS], { cwd: folder, stdio: 'pipe' });
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing) throw new Error(`${program} failed: ${firstLine(error)}`);
    const remedy =
      program === here
        ? `on Debian, apt-get install ${here === 'g++' ? here : name}`
        : 'install it, or unset CXX';
    throw new Error(`${program} is not installed: ${remedy}.`);
  }
}

async function compileInDocker(folder: string, architecture: Architecture): Promise<void> {
  const { DockerImage } = await import('aws-cdk-lib/core');
  const { Architecture: Architectures, Runtime } = await import('aws-cdk-lib/aws-lambda');
  const { dockerPlatform } = architecture === 'arm64' ? Architectures.ARM_64 : Architectures.X86_64;
  try {
    DockerImage.fromRegistry(Runtime.NODEJS_24_X.bundlingImage.image).run({
      platform: dockerPlatform,
      command: ['g++', ...ARGUMENTS],
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
