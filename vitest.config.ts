import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    // Tests share the machine with the native engine's own threads; two files at a time is what two cores carry.
    maxWorkers: 2,
  },
});
