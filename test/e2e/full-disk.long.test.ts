import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileModel } from '../../index/compile/compile.ts';
import { BUCKET, BuilderStack, FUNCTION } from '../fixtures/builder.ts';
import { DiskFaults } from '../fixtures/disk-faults.ts';
import { root, temporaryFolder } from '../fixtures/index.ts';
import { JobProcess } from '../fixtures/job-process.ts';
import { tinyModel, writeModel } from '../fixtures/models/tiny-model.ts';
import { finished } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

const TIMEOUT = 600_000;
/** At how many of its changes the disk is full in turn. */
const MOMENTS = 3;

/** Places of some of the changes, from the first on. Without the last ones, which a command can do without. */
function momentsOf(changes: number): number[] {
  expect(changes).toBeGreaterThan(MOMENTS);
  return Array.from({ length: MOMENTS }, (_, i) => 1 + Math.round((i * (changes - 1)) / MOMENTS));
}

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric'))('a full disk', () => {
  const workspace = temporaryFolder();
  /** The builder's disk and the folder for temporary files. */
  const disk = temporaryFolder();
  let stack: BuilderStack;
  let faults: DiskFaults;
  let env: Record<string, string>;

  beforeAll(async () => {
    faults = new DiskFaults(workspace, disk);
    // Without the files of tsx, which a command of the package does not write.
    env = { ...faults.env, TMPDIR: disk, TSX_DISABLE_CACHE: '1' };
    stack = await BuilderStack.start(disk);
  });
  afterAll(() => stack?.stop());

  test(
    'of a builder ends the build with a sentence, and the next one finishes',
    async () => {
      const builder = stack.another(env);
      const build = async (text: string) => {
        await stack.put('lamps.md', `# Lamps\n\n${text}`);
        await builder.invoke(stack.batch());
        return (await stack.builds.list(1))[0]!;
      };
      await build('The lamp turns once.');
      faults.none('write', 'create');
      expect(await build('The lamp turns twice.')).toMatchObject({ status: 'succeeded' });
      for (const moment of momentsOf(faults.calls)) {
        const before = await stack.index();
        faults.failFrom(moment, 'ENOSPC', 'write', 'create');
        const record = await build(`The lamp turns ${moment} times a day.`);
        faults.none();
        expect(record, `change ${moment}`).toMatchObject({
          status: 'failed',
          reason: expect.stringMatching(/^The builder's disk of 10 GB is full: /),
        });
        expect(await stack.index()).toBe(before);
        const next = await build(`The lamp turns ${moment} times an hour.`);
        expect(next).toMatchObject({ status: 'succeeded', index: await stack.index() });
      }
      await builder.end();
    },
    TIMEOUT,
  );

  test(
    'ends a push with a sentence, and the next one finishes',
    async () => {
      const documents = join(workspace, 'documents.jsonl');
      const index = join(workspace, 'index');
      const model = compileModel(writeModel(tinyModel({ positions: 128 })));
      writeFileSync(documents, JSON.stringify({ text: 'The lamp turns.' }));
      const builder = new JobProcess();
      expect(await builder.run({ kind: 'build', documents, index, model })).toBe(null);
      await builder.kill();
      const args = `cli/polyseek.ts push --function ${FUNCTION} --bucket ${BUCKET} --index ${index}`;
      const push = () =>
        finished(
          spawn(process.execPath, ['--import', 'tsx', ...args.split(' ')], {
            cwd: root,
            env: { PATH: process.env.PATH, ...stack.aws.env, ...env },
          }),
        );
      const before = await stack.index();
      expect(await push()).toMatchObject({ code: 0 });
      const after = await stack.index();
      expect(after).not.toBe(before);
      faults.none('write', 'create');
      expect(await push()).toMatchObject({ code: 0 });
      const names = readdirSync(disk);
      for (const moment of momentsOf(faults.calls)) {
        faults.failFrom(moment, 'ENOSPC', 'write', 'create');
        const { code, stderr } = await push();
        faults.none();
        expect(code).toBe(1);
        expect(stderr).toMatch(/no space left on (?:the disk\. Free some|device\. Free disk) space/);
        expect(await stack.index()).toBe(after);
        expect(readdirSync(disk)).toEqual(names);
      }
      expect(await push()).toMatchObject({ code: 0 });
    },
    TIMEOUT,
  );
});
