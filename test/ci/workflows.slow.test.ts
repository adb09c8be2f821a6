import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { workflow } from '../../cli/init.ts';
import { root, temporaryFolder } from '../fixtures/index.ts';
import { missingTools, tools } from '../fixtures/tools.ts';

interface Job {
  permissions?: Record<string, string>;
  container?: string | { image: string };
  steps: { uses?: string; run?: string; with?: Record<string, unknown> }[];
}
interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const folder = join(root, '.github/workflows');
const texts = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
const jobs = [...texts].flatMap(([name, text]) => {
  const { permissions, jobs } = parse(text) as Workflow;
  return Object.entries(jobs).map(([id, job]) => ({
    name: `${name} ${id}`,
    job,
    permissions: job.permissions ?? permissions,
  }));
});

test.each(jobs)('$name uses actions by commit and images by digest, and keeps no credentials', ({ job }) => {
  const { container } = job;
  const image = typeof container === 'object' ? container.image : container;
  if (image !== undefined) expect(image).toMatch(/^node:[\w.-]+@sha256:[0-9a-f]{64}$/);
  for (const { uses, with: inputs } of job.steps) {
    if (uses === undefined) continue;
    expect(uses).toMatch(/^actions\/[\w-]+@[0-9a-f]{40}$/);
    if (uses.startsWith('actions/checkout@')) expect(inputs).toEqual({ 'persist-credentials': false });
  }
});

test('only the job that publishes may write, and it runs no code of the repository or its dependencies', () => {
  const writing = jobs.filter(({ permissions }) =>
    Object.values(permissions).some((right) => right !== 'read'),
  );
  expect(writing.map(({ name }) => name)).toEqual(['release.yml publish']);
  for (const { permissions } of jobs.filter((one) => !writing.includes(one)))
    expect(permissions).toEqual({ contents: 'read' });
  const [{ job, permissions }] = writing as [(typeof jobs)[number]];
  expect(permissions).toEqual({ contents: 'write', 'id-token': 'write', attestations: 'write' });
  expect(job.steps.flatMap(({ uses }) => uses?.split('@')[0] ?? [])).toEqual([
    'actions/setup-node',
    'actions/download-artifact',
    'actions/attest-build-provenance',
  ]);
  const runs = job.steps.flatMap(({ run }) => run ?? []).join('\n');
  expect(runs).not.toMatch(/npm (ci|install|run)|\.ci\//);
  expect(runs).toContain('--provenance');
});

test('packages are packed after a check of advisories, and published only if all checks passed', () => {
  const { jobs } = parse(texts.get('release.yml')!) as { jobs: Record<string, Job & { needs?: string[] }> };
  expect(jobs.publish!.needs).toEqual(['test', 'pack']);
  expect(jobs.pack!.steps.flatMap(({ run }) => run ?? [])).toEqual(['bash .ci/advisories', 'bash .ci/pack']);
});

describe.skipIf(missingTools('zizmor'))('zizmor', () => {
  const audit = (where: string, persona: string) =>
    execFileSync(tools.zizmor, ['--offline', '--color', 'never', '--persona', persona, where], {
      encoding: 'utf8',
      stdio: 'pipe',
    });

  test('finds nothing in the workflows of this repository', () => {
    expect(audit(join(root, '.github'), 'pedantic')).toMatch(/^No findings to report/);
  });

  test('finds nothing in the workflow that init writes, but something in one with a branch of an action', () => {
    const project = temporaryFolder();
    mkdirSync(join(project, '.github/workflows'), { recursive: true });
    const path = join(project, '.github/workflows/polyseek.yml');
    writeFileSync(path, workflow(['docs/**']));
    expect(audit(project, 'regular')).toMatch(/^No findings to report/);
    writeFileSync(path, workflow(['docs/**']).replace(/checkout@[0-9a-f]+ # \S+/, 'checkout@main'));
    expect(() => audit(project, 'regular')).toThrow(
      expect.objectContaining({ stdout: expect.stringContaining('error[unpinned-uses]') }),
    );
  });
});
