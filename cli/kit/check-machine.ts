import { loadLibrary } from '#engine-library';
import { compileModel, DEFAULT_MODEL } from '../../index/compile/compile.ts';
import { Embedder } from '../../index/embedding/embedder.ts';
import type { Architecture } from '../../index/engine/architecture.ts';
import { compilerFor } from '../../index/engine/compile-engine.ts';
import { libraryOrigin } from '../../index/engine/library-origin.ts';
import { loadNative } from '../../index/engine/load-native.ts';
import { readCompiledModel } from '../../index/format/compiled-model.ts';
import { type Check, check, firstLineOf, ok, warning } from './checks.ts';

/** The oldest version of Node, as in package.json. */
const NODE = [20, 19];

const ORIGINS = { prebuilt: 'prebuilt in the package', compiled: 'compiled on this machine' };

/** Checks what polyseek needs of this machine. Compiles the model and the libraries if nothing has yet. */
export async function checkMachine(): Promise<Check[]> {
  return [
    checkNode(),
    ok('platform', describePlatform()),
    await check('model', checkModel),
    await check('engine', checkEngine),
    await check('hnswlib', checkHnswlib),
    await check('compiler', checkCompiler, 'warning'),
    checkDocker(),
    await check('for Lambda, x86_64', () => checkLambda('x86_64'), 'warning'),
    await check('for Lambda, arm64', () => checkLambda('arm64'), 'warning'),
  ];
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isNew = major > NODE[0]! || (major === NODE[0] && minor >= NODE[1]!);
  const found = `${process.version}, ${process.execPath}`;
  if (isNew) return ok('Node', found);
  return { name: 'Node', status: 'problem', found, fix: `Install Node ${NODE.join('.')} or newer.` };
}

function describePlatform(): string {
  const system = `${process.platform} ${process.arch}`;
  if (process.platform !== 'linux') return system;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return `${system}, ${header.glibcVersionRuntime ? `glibc ${header.glibcVersionRuntime}` : 'without glibc'}`;
}

/** `compileModel` compares the checksums. */
function checkModel(): Check {
  const dir = compileModel(DEFAULT_MODEL);
  return ok('model', `${readCompiledModel(dir, true).name}, compiled and intact, in ${dir}`);
}

/** Embeds a text with the engine that a search would use. */
async function checkEngine(): Promise<Check> {
  const dir = compileModel(DEFAULT_MODEL);
  const { engine } = readCompiledModel(dir, false);
  await (await Embedder.open(dir, { verify: false })).embed('Does it work?', 'query');
  if (engine === 'onnx') return ok('engine', 'ONNX Runtime');
  const { kernels } = await loadLibrary();
  return ok('engine', `polyseek's own, ${originOf('engine')}, for ${kernels[0]} processors`);
}

/** Builds the graph of an index. */
function checkHnswlib(): Check {
  loadNative('hnswlib');
  return ok('hnswlib', originOf('hnswlib'));
}

function originOf(name: 'engine' | 'hnswlib'): string {
  const origin = libraryOrigin(name);
  return origin ? ORIGINS[origin] : 'not compiled';
}

function checkCompiler(): Check {
  const { program, remedy } = compilerFor();
  const version = firstLineOf(program, '--version');
  if (version) return ok('compiler', version);
  // Both libraries are there.
  const isNeeded = [libraryOrigin('engine'), libraryOrigin('hnswlib')].includes(undefined);
  return isNeeded
    ? warning('compiler', `${program} is not installed`, remedy)
    : ok('compiler', 'none, and none is needed');
}

function checkDocker(): Check {
  const version = firstLineOf('docker', 'version', '--format', '{{.Server.Version}}');
  return ok('Docker', version ?? 'not running; only needed where no compiler can compile for Lambda');
}

/** Whether the engine for Lambda's processor is there, or can be compiled. */
function checkLambda(architecture: Architecture): Check {
  const name = `for Lambda, ${architecture}`;
  const origin = libraryOrigin('engine', architecture);
  if (origin) return ok(name, ORIGINS[origin]);
  const { program, remedy } = compilerFor(architecture);
  if (firstLineOf(program, '--version')) return ok(name, `${program} will compile it`);
  if (firstLineOf('docker', 'version', '--format', '{{.Server.Version}}'))
    return ok(name, 'Docker will compile it');
  return warning(name, `${program} is not installed, and Docker does not run`, remedy);
}
