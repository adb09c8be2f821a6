import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { compileEngine, compileLibrary, libraryPath } from '../../../index/engine/compile-engine.ts';
import { readElf } from '../../../index/engine/elf.ts';
import { digestPath } from '../../../index/engine/native-sources.ts';
import { POLYSEEK } from '../../fixtures/bundle-cli.ts';
import { root, temporaryFolder, writeRandomIndex } from '../../fixtures/index.ts';
import { missingTools } from '../../fixtures/tools.ts';

const folder = temporaryFolder();
const index = join(folder, 'index');
const cache = join(root, 'build/native');
/** The stand-in for Docker appends this to a library. The loader ignores it. */
const MARK = '\ncompiled by the stand-in for Docker';
const isMarked = (path: string) => readFileSync(path).subarray(-MARK.length).equals(Buffer.from(MARK));

/** This machine's processor, and a compiler that copies the library of this machine instead of compiling for some seconds. */
const HERE = process.arch === 'arm64' ? 'arm64' : 'x86_64';
const COPY = `[ -f engine.cc ] && cp ${compileLibrary('engine')} engine.node`;
const compiler = join(folder, 'compiler');
writeFileSync(compiler, `#!/bin/bash\n${COPY}\n`, { mode: 0o755 });

function remove(library: string): void {
  for (const path of [library, digestPath(library)]) rmSync(path);
}

beforeAll(() => {
  writeRandomIndex(index, 20);
  mkdirSync(cache, { recursive: true });
});
afterAll(() => {
  const libraries = readdirSync(cache).filter((name) => name.endsWith('.node'));
  for (const name of libraries) if (isMarked(join(cache, name))) remove(join(cache, name));
});

/** Packages the index for Lambda with these environment variables. */
function pack(architecture: string, env: Record<string, string>) {
  const args = [POLYSEEK, 'package', '--arch', architecture, '--index', index];
  args.push('--out', join(folder, architecture));
  return promisify(execFile)(process.execPath, args, { cwd: root, env: { ...process.env, ...env } });
}
const addon = (architecture: string) => join(folder, architecture, 'native/engine.node');

test('a compile removes the draft of a killed one', async () => {
  // The name of the compiler makes that of this library unique.
  vi.stubEnv('CXX', compiler);
  const library = libraryPath(HERE);
  // No process has this id.
  const draft = `${library}.polyseek-draft-${2 ** 22 + 1}-1-0123abcd`;
  mkdirSync(draft);
  expect(await compileEngine(HERE)).toBe(library);
  expect(existsSync(draft)).toBe(false);
  remove(library);
  vi.unstubAllEnvs();
});

test('the library for Lambda matches its processor, and loads here on the same processor', async () => {
  await pack('x86_64', {});
  expect(readElf(readFileSync(addon('x86_64'))).machine).toBe('x86_64');
  if (process.platform === 'linux' && process.arch === 'x64')
    expect(createRequire(import.meta.url)(addon('x86_64'))).toHaveProperty('kernels');
});

test.skipIf(!process.env.ALL_RUNS || missingTools('aarch64-linux-gnu-g++'))(
  'a cross-compiler compiles the library for arm64',
  async () => {
    await pack('arm64', {});
    expect(readElf(readFileSync(addon('arm64'))).machine).toBe('arm64');
  },
);

test('Docker compiles without a local compiler, with the right image, platform and mounted folder', async () => {
  // The stand-in for Docker runs the copying compiler in the mounted folder.
  const docker = join(folder, 'docker');
  const script = `#!/bin/bash
    echo "$*" >>"${folder}/docker.log"
    [ "$1" = run ] || exit 1
    while [ "$1" != g++ ]; do
      if [ "$1" = -v ]; then mounted="\${2%%:*}"; fi
      shift
    done
    cd "$mounted" && ${COPY} && printf '${MARK.replace('\n', '\\n')}' >>engine.node`;
  writeFileSync(docker, script, { mode: 0o755 });
  await pack(HERE, { CXX: 'no-such-compiler', CDK_DOCKER: docker });
  expect(isMarked(addon(HERE))).toBe(true);
  const log = readFileSync(join(folder, 'docker.log'), 'utf8');
  expect(log).toMatch(/^run --rm /);
  expect(log).toContain(`--platform linux/${HERE === 'arm64' ? 'arm64' : 'amd64'}`);
  expect(log).toContain('public.ecr.aws/sam/build-nodejs24.x');
});

test('the error has two reasons if both the compiler and Docker are missing', async () => {
  const env = { CXX: 'no-such-compiler -x', CDK_DOCKER: join(folder, 'no-docker') };
  await expect(pack('arm64', env)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^Cannot compile the engine for Lambda on arm64\. no-such-compiler is not installed\. Install it, or unset CXX\. Docker failed too: /m,
    ),
  });
});

test('a library that Amazon Linux 2023 cannot load is rejected', async () => {
  // This compiler compiles for this machine's processor only.
  const env = { CXX: compiler, CDK_DOCKER: join(folder, 'no-docker') };
  const other = process.arch === 'x64' ? 'arm64' : 'x86_64';
  await expect(pack(other, env)).rejects.toMatchObject({
    stderr: expect.stringContaining('engine.node is compiled for'),
  });
});
