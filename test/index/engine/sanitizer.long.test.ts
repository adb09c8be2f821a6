import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { COMPILER_ARGUMENTS, stageSource } from '../../../index/engine/native-sources.ts';
import { root, temporaryFolder } from '../../fixtures/index.ts';
import { finished } from '../../fixtures/processes.ts';

const execute = promisify(execFile);
const stage = join(temporaryFolder(), 'engine');
// -O1 keeps the compile time below a minute.
const SANITIZERS = [
  '-fsanitize=address,undefined,float-cast-overflow',
  '-fno-sanitize-recover=all',
  '-O1',
  '-g',
];

// Node is compiled without libasan, so it must be preloaded. Systems other than Linux do this differently.
test.skipIf(process.platform !== 'linux')(
  'the address and undefined behaviour sanitizers find nothing in the engine’s tests',
  async () => {
    stageSource(stage);
    await execute('g++', [...COMPILER_ARGUMENTS.engine, ...SANITIZERS], { cwd: stage });
    const { stdout: libasan } = await execute('g++', ['-print-file-name=libasan.so']);
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const tests = ['kernels', 'match-tokens', 'native', 'states'].map(
      (name) => `test/index/engine/${name}.test.ts`,
    );
    const { code, stdout, stderr } = await finished(
      spawn(process.execPath, [vitest, 'run', '--reporter=dot', ...tests], {
        cwd: root,
        env: {
          ...process.env,
          ENGINE_LIBRARY: join(stage, 'engine.node'),
          LD_PRELOAD: libasan.trim(),
          // Node does not free all memory when it exits.
          ASAN_OPTIONS: 'detect_leaks=0',
          UBSAN_OPTIONS: 'print_stacktrace=1',
        },
      }),
    );
    expect(stderr).toBe('');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/Tests .* passed/) });
  },
  300_000,
);
