import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { bundledProcesses } from './test/fixtures/bundle-cli.ts';

const ALL = ['test/**/*.test.ts'];
/** Tests that take long, or need a tool of `.ci/tools`. */
const SLOW = ['test/e2e/**/*.test.ts', 'test/**/*.slow.test.ts'];
/** Tests that hunt for unknown defects, instead of guarding against known ones. */
const LONG = ['test/**/*.long.test.ts'];
/** A process for each file would take as long to start and to load modules as many of the tests. */
const SHARED = { isolate: false, setupFiles: 'test/fixtures/setup.ts' };

export default defineConfig({
  // As in tsconfig.json: the package's own name means the sources here.
  resolve: {
    alias: [
      { find: /^polyseek\/(.*)$/, replacement: join(import.meta.dirname, 'functions/web/client/$1.ts') },
    ],
  },
  plugins: [bundledProcesses],
  test: {
    globalSetup: 'test/fixtures/global-setup.ts',
    // CDK's own check of a template takes longer than its synthesis. rules.slow.test.ts and `cdk synth` in cdk-app.slow.test.ts have it.
    env: { CDK_VALIDATION: 'false' },
    testTimeout: 120_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'quick', include: ALL, exclude: [...SLOW, ...LONG], ...SHARED } },
      {
        extends: true,
        test: {
          name: 'slow',
          include: SLOW,
          exclude: LONG,
          ...SHARED,
          sequence: { groupOrder: 1 },
          maxWorkers: 3,
        },
      },
      { extends: true, test: { name: 'long', include: LONG, sequence: { groupOrder: 2 } } },
    ],
  },
});
