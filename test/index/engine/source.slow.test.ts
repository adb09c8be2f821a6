import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { COMPILER_ARGUMENTS, stageSource } from '../../../index/engine/native-sources.ts';
import { root, temporaryFolder } from '../../fixtures/index.ts';
import { missingTools, tools } from '../../fixtures/tools.ts';

const execute = promisify(execFile);
const folder = temporaryFolder();
const native = join(root, 'index/engine/native');

/** Compiles all kernels for the compiler's processor. Fails on any warning. */
async function compileStrictly(compiler: string): Promise<void> {
  const stage = join(folder, compiler);
  stageSource(stage);
  await execute(compiler, [...COMPILER_ARGUMENTS.engine, '-Wall', '-Wextra', '-Werror'], { cwd: stage });
  expect(readdirSync(stage)).toContain('engine.node');
}

test('this machine’s compiler has no warnings', () =>
  compileStrictly(process.platform === 'linux' ? 'g++' : 'c++'));

test.skipIf(!process.env.ALL_RUNS || missingTools('aarch64-linux-gnu-g++'))(
  'the compiler for arm64 has no warnings',
  () => compileStrictly('aarch64-linux-gnu-g++'),
);

describe.skipIf(missingTools('clang-format'))('clang-format', () => {
  test.each(readdirSync(native))('changes nothing in %s', async (name) => {
    await execute(tools['clang-format'], ['--dry-run', '--Werror', join(native, name)]);
  });
});
