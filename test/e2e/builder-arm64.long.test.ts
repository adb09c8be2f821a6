import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageBuilder } from '../../functions/package/package-builder.ts';
import { checkBuilder } from '../../infra/packaging.ts';
import { temporaryFolder } from '../fixtures/index.ts';
import { finished } from '../fixtures/processes.ts';
import { missingTools, tools } from '../fixtures/tools.ts';

const folder = temporaryFolder();

test.skipIf(missingTools('Node 24 for arm64', 'qemu-aarch64-static', 'aarch64-linux-gnu-g++'))(
  'the packaged builder for arm64 has libraries that load and link on that processor',
  async () => {
    const out = join(folder, 'arm64');
    await packageBuilder(out, 'arm64');
    checkBuilder(out, 'arm64');
    const script = join(folder, 'load.mjs');
    writeFileSync(
      script,
      `import { createRequire } from 'node:module';
    const require = createRequire(${JSON.stringify(join(out, 'builder.mjs'))});
    require('./function/native/engine.node');
    const { HierarchicalNSW } = require('./native/hnswlib.node');
    const graph = new HierarchicalNSW('ip', 2);
    graph.initIndex(2, 16, 200, 100);
    graph.addPoint([1, 0], 0);
    graph.addPoint([0, 1], 1);
    console.log(process.arch, graph.searchKnn([0, 1], 1).neighbors);`,
    );
    const args = ['-L', '/usr/aarch64-linux-gnu', tools['Node 24 for arm64'], script];
    const ended = await finished(
      spawn(tools['qemu-aarch64-static'], args, { cwd: folder, env: { HOME: '' } }),
    );
    expect(ended).toEqual({ code: 0, stderr: '', stdout: 'arm64 [ 1 ]\n' });
  },
);
