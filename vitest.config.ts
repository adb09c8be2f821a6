import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { bundledProcesses } from './test/fixtures/bundle-cli.ts';

/** Tests that take long, or need a tool of `.ci/tools`. */
const SLOW = ['test/e2e/**/*.test.ts', 'test/**/*.slow.test.ts'];
/** Tests that hunt for unknown defects, instead of guarding against known ones. */
const LONG = ['test/**/*.long.test.ts'];

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
    testTimeout: 120_000,
    hookTimeout: 300_000,
    // Tests share the machine with the native engine's own threads; two files at a time is what two cores carry.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: [...SLOW, ...LONG],
          // A process for each file would take as long to start and to load modules as the tests. Processes are
          // shared only between files that follow each other, so these run before the others.
          isolate: false,
          setupFiles: 'test/fixtures/setup.ts',
        },
      },
      { extends: true, test: { name: 'slow', include: SLOW, exclude: LONG, sequence: { groupOrder: 1 } } },
      { extends: true, test: { name: 'long', include: LONG, sequence: { groupOrder: 2 } } },
    ],
  },
});
