import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Tests that take long, or need a tool of `.ci/tools`. All others run in `npm run test:quick`. */
const SLOW = [
  'test/bench/corpus.test.ts',
  'test/ci/workflows.test.ts',
  'test/cli/*.test.ts',
  'test/cli/npm/*.test.ts',
  'test/docs/commands.test.ts',
  'test/e2e/**/*.test.ts',
  'test/fixtures/lambda-runtime.test.ts',
  'test/functions/build/{builder,cache-sync,lock,s3-vectors}.test.ts',
  'test/fixtures/{lambda-runtime,s3-vectors}.test.ts',
  'test/functions/client/npm/*.test.ts',
  'test/functions/search/{any-input,mcp,worst-request}.test.ts',
  'test/index/compile/*.test.ts',
  'test/index/documents/office-programs.test.ts',
  'test/index/documents/tar.test.ts',
  'test/index/documents/html-sites.test.ts',
  'test/index/documents/{mhtml,tar}.test.ts',
  'test/index/documents/man.test.ts',
  'test/index/documents/{pdf,pdf-real}.test.ts',
  'test/index/embedding/double-array.test.ts',
  'test/index/{build,build-cache}.test.ts',
  'test/index/embedding/{by-token,embedder,places}.test.ts',
  'test/index/embedding/packed-encoder.test.ts',
  'test/index/embedding/tokenizer.test.ts',
  'test/index/engine/{compile-engine,kernels,match-tokens,memory,sanitizer,source,states}.test.ts',
  'test/index/format/damage.test.ts',
  'test/index/format/{overview,portable-graph}.test.ts',
  'test/index/publish/publish.test.ts',
  'test/index/search/{damaged-vectors,filter,history,index-search,recall,token-search}.test.ts',
  'test/index/sources/{s3,sql-postgres}.test.ts',
  'test/index/store/bundle-store.test.ts',
  'test/index/store/s3-vectors-store.test.ts',
  'test/infra/asset.test.ts',
  'test/infra/cdk-app.test.ts',
  'test/infra/{deploy,documents-deploy,documents-stack}.test.ts',
  'test/infra/{endpoint,own-app,push-role}.test.ts',
  'test/infra/fresh-clone.test.ts',
  'test/infra/remote/prune.test.ts',
  'test/infra/remote/remote.test.ts',
  'test/infra/stack.test.ts',
  'test/quality/**/*.test.ts',
  'test/upgrade/*.test.ts',
  'test/security/*.test.ts',
];

const LONG = 'test/**/*.long.test.ts';

export default defineConfig({
  // As in tsconfig.json: the package's own name means the sources here.
  resolve: {
    alias: [{ find: /^polyseek\/(.*)$/, replacement: join(import.meta.dirname, 'functions/client/$1.ts') }],
  },
  test: {
    testTimeout: 120_000,
    hookTimeout: 300_000,
    // Tests share the machine with the native engine's own threads; two files at a time is what two cores carry.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'quick', include: ['test/**/*.test.ts'], exclude: [...SLOW, LONG] } },
      { extends: true, test: { name: 'slow', include: SLOW, exclude: [LONG] } },
      // Hunts for defects instead of guarding against known ones. Before a release, and each night.
      { extends: true, test: { name: 'long', include: [LONG], maxWorkers: 1 } },
    ],
  },
});
