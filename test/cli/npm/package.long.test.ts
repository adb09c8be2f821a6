import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { writeDigest } from '../../../index/engine/native-sources.ts';
import { graphLinker } from '../../../index/graph/graph-builder.ts';
import type { Answer } from '../../../index/search/answer.ts';
import { gaussian, randomNumbers, root, temporaryFolder } from '../../fixtures/index.ts';
import { HTTP_API, httpEvent } from '../../fixtures/lambda-events.ts';
import { command, finished } from '../../fixtures/processes.ts';
import { namesOf, readSbom } from '../../fixtures/sbom.ts';
import { missingTools, tools } from '../../fixtures/tools.ts';

const QUESTION = 'Wann blinkt der Leuchtturm von Korvane?';
const QUICK = ['--prefer-offline', '--no-audit', '--no-fund', '--no-update-notifier'];

const folder = temporaryFolder();
const [app, bin, tarballs] = [join(folder, 'app'), join(folder, 'bin'), join(root, 'build/npm')];
const installed = join(app, 'node_modules/polyseek');
const dist = join(installed, 'dist');
const { version, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Runs npm, with its own messages as the reason of a failure. */
function npm(cwd: string, ...args: string[]): string {
  return execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 26,
  });
}

/** Runs `npx polyseek` where PATH has Node, npm and a shell, but no compiler. */
function polyseek(...args: string[]) {
  return finished(spawn('npx', ['polyseek', ...args], { cwd: app, env: { PATH: bin, HOME: folder } }));
}

/** The content of all files in a folder, by path. */
function filesOf(path: string): Map<string, Buffer> {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((file) => [relative(path, file), readFileSync(file)]));
}

function expectSameFiles(path: string, other: string): void {
  const [files, others] = [filesOf(path), filesOf(other)];
  expect([...files.keys()]).toEqual([...others.keys()]);
  expect([...files.keys()].filter((name) => !files.get(name)!.equals(others.get(name)!))).toEqual([]);
}

const untimed = (answer: Answer) => ({ ...answer, took: undefined });

beforeAll(() => {
  vi.stubEnv('ALL_ARCHITECTURES', '1');
  npm(root, 'run', 'pack');
  vi.unstubAllEnvs();
  mkdirSync(join(app, 'docs'), { recursive: true });
  writeFileSync(
    join(app, 'docs/lighthouse.md'),
    '# Lighthouse\n\nThe lighthouse of Korvane flashes every 12 seconds.\n\n# Bridge\n\nThe bridge was built in 1931.\n',
  );
  writeFileSync(
    join(app, 'docs/leave.html'),
    '<title>Leave</title><h1>Leave</h1><p>Employees get 25 days of leave.</p>',
  );
  npm(app, 'install', ...QUICK, join(tarballs, `polyseek-${version}.tgz`));
  mkdirSync(bin);
  for (const name of ['node', 'npm', 'npx', 'sh', 'env'])
    symlinkSync(realpathSync(execFileSync('which', [name], { encoding: 'utf8' }).trim()), join(bin, name));
}, 600_000);

describe('the package in an empty folder', () => {
  test('contains JavaScript with types and source maps, and installs neither compilers nor what few need', () => {
    const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => /(?<!\.d)\.ts$|\.onnx$|^cli\/npm\//.test(file))).toEqual([]);
    const modules = files.filter((file) => /^(cli|functions|index|infra)\/.*(?<!\/widget)\.js$/.test(file));
    expect(modules.length).toBeGreaterThan(300);
    for (const module of modules)
      for (const ending of ['.js.map', '.d.ts']) expect(files).toContain(module.replace(/\.js$/, ending));
    expect(readFileSync(join(dist, 'THIRD_PARTY_NOTICES.txt'), 'utf8')).toMatch(
      /^hnswlib-node .*Apache-2\.0$/m,
    );

    const names = readdirSync(join(app, 'node_modules'));
    const absent = [
      'esbuild',
      'tsx',
      'typescript',
      'hnswlib-node',
      'pdfjs-dist',
      'sharp',
      ...Object.keys(peerDependencies),
    ];
    expect(names.filter((name) => absent.includes(name))).toEqual([]);
    expect(statSync(join(tarballs, `polyseek-${version}.tgz`)).size).toBeLessThan(80e6);
  });

  test('has a bill of materials with the packages that npm installs, those that are bundled, libraries and model', async () => {
    const bom = await readSbom(dist);
    const { packages } = JSON.parse(readFileSync(join(app, 'node_modules/.package-lock.json'), 'utf8')) as {
      packages: Record<string, object>;
    };
    const names = (folders: string[]) => folders.map((folder) => folder.split('node_modules/').at(-1)!);
    const installed = names(Object.keys(packages)).filter((name) => name !== 'polyseek');
    const bundled = readFileSync(join(dist, 'THIRD_PARTY_NOTICES.txt'), 'utf8').matchAll(
      /^(\S+) \d\S*, licence: /gm,
    );
    const expected = new Set([...installed, ...[...bundled].map(([, name]) => name!)]);
    expect([...new Set(namesOf(bom, 'library'))].sort()).toEqual([...expected].sort());
    expect(namesOf(bom, 'machine-learning-model')).toEqual(['multilingual-e5-small']);
    const libraries = ['linux-arm64', 'linux-x64'].flatMap((target) =>
      ['engine', 'hnswlib'].map((name) => `prebuilt/${target}/${name}.node`),
    );
    expect(namesOf(bom, 'file')).toEqual(expect.arrayContaining([...libraries, 'index/model/rows.bin']));
    const [own] = bom.dependencies;
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const [name, range] of Object.entries(dependencies))
      expect(own!.dependsOn).toContain(`pkg:npm/${name.replace('@', '%40')}@${range}`);
  });

  test('builds the index that the clone builds, without a compiler', async () => {
    const { code, stdout, stderr } = await polyseek('index', 'docs');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain('3 passages');
    const cloned = join(folder, 'cloned');
    expect(await command('index', [join(app, 'docs'), '--index', cloned])).toMatchObject({ code: 0 });
    expectSameFiles(join(app, '.polyseek/index'), cloned);
    expect(existsSync(join(app, '.polyseek/native'))).toBe(false);
  });

  test('answers like the clone', async () => {
    const there = await polyseek('search', QUESTION, '--json');
    const here = await command('search', [QUESTION, '--json', '--index', join(app, '.polyseek/index')]);
    expect(there).toMatchObject({ code: here.code, stderr: '' });
    const answer = JSON.parse(there.stdout);
    expect(answer.results[0].text).toContain('12 seconds');
    expect(untimed(answer)).toEqual(untimed(JSON.parse(here.stdout)));
  });

  test('serves questions, the page and the description', async () => {
    const args = [join(dist, 'cli/polyseek.js'), 'start'];
    const server = spawn(process.execPath, args, { cwd: app, env: { PATH: bin, PORT: '0' } });
    try {
      let printed = '';
      for await (const text of server.stdout!.setEncoding('utf8')) {
        printed += text;
        if (/ at http:\S+/.test(printed)) break;
      }
      const url = / at (http:\S+)/.exec(printed)![1]!;
      const answer = (await (
        await fetch(`${url}/search?${new URLSearchParams({ q: QUESTION })}`)
      ).json()) as Answer;
      expect(answer.results[0]!.text).toContain('12 seconds');
      const page = await fetch(url, { headers: { accept: 'text/html' } });
      const html = await page.text();
      expect(html).toContain('<script');
      expect(html).toBe(JSON.parse(readFileSync(join(dist, 'function/page.json'), 'utf8')).html);
      const { info } = (await (await fetch(`${url}/openapi.json`)).json()) as { info: { version: string } };
      expect(info.version).toBe(version);
    } finally {
      server.kill();
      await once(server, 'close');
    }
  });

  test.each(['x86_64', 'arm64'])(
    'packages for %s what the clone packages, without a compiler',
    async (arch) => {
      const out = `function-${arch}`;
      expect(await polyseek('package', '--arch', arch, '--out', out)).toMatchObject({ code: 0, stderr: '' });
      const cloned = join(folder, out);
      const args = ['--arch', arch, '--index', join(app, '.polyseek/index'), '--out', cloned];
      expect(await command('package', args)).toMatchObject({ code: 0 });
      expectSameFiles(join(app, out), cloned);
    },
  );

  test.each(['x86_64', 'arm64'])(
    'packages a builder for %s like the clone, without a compiler or a bundler',
    async (arch) => {
      const out = `builder-${arch}`;
      const args = ['package', '--builder', '--arch', arch, '--out'];
      expect(await polyseek(...args, out)).toMatchObject({ code: 0, stderr: '' });
      const cloned = join(folder, out);
      expect(await command('package', [...args.slice(1), cloned])).toMatchObject({ code: 0 });
      expectSameFiles(join(app, out), cloned);
    },
  );

  test('every command prints its help, and an import says which package to install', async () => {
    const { stdout } = await polyseek('--help');
    const names = [...stdout.matchAll(/^ {2}([a-z][a-z-]+) /gm)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(12);
    for (const name of names.filter((name) => name !== 'help')) {
      const args = [join(dist, 'cli/polyseek.js'), name, '--help'];
      expect(execFileSync(process.execPath, args, { cwd: app, encoding: 'utf8' })).toContain(
        'Usage: polyseek',
      );
    }
    expect(await polyseek('learn')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is a compiled model, but this needs its source.'),
    });
    const transformers = `@xenova/transformers@${peerDependencies['@xenova/transformers']}`;
    expect(await polyseek('model', 'owner/name@1')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`Run npm install ${transformers}.`),
    });
  });

  test('links a large graph in a process of its own, as the clone does', async () => {
    const [nodes, dimensions, vectors] = [4001, 8, join(folder, 'vectors')];
    writeFileSync(vectors, gaussian(nodes * dimensions, randomNumbers(5)));
    const linker = graphLinker(vectors, join(folder, 'here.bin'), nodes, dimensions);
    await linker.finish();
    const script = `
      import { graphLinker } from ${JSON.stringify(join(dist, 'index/graph/graph-builder.js'))};
      await graphLinker(${JSON.stringify(vectors)}, ${JSON.stringify(join(folder, 'there.bin'))}, ${nodes}, ${dimensions}).finish();`;
    const { code, stderr } = await finished(
      spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: app, env: { PATH: bin } }),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readFileSync(join(folder, 'there.bin')).equals(readFileSync(join(folder, 'here.bin')))).toBe(true);
  });

  test.each(['engine', 'hnswlib'])('refuses a damaged %s before it loads it', async (name) => {
    const library = join(dist, 'prebuilt', `linux-${process.arch}`, `${name}.node`);
    const bytes = readFileSync(library);
    writeFileSync(library, bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1));
    try {
      const { code, stderr } = await polyseek('index', 'docs', '--index', 'other', '--cache', 'other-cache');
      expect(code).toBe(1);
      expect(stderr).toContain(
        `${library} is damaged: its SHA-256 is not the one in ${name}.node.sha256. Install polyseek again.`,
      );
    } finally {
      writeFileSync(library, bytes);
    }
  });

  test('compiles its libraries where the prebuilt ones do not load, and names the compiler if it is missing', async () => {
    // The index then embeds again.
    rmSync(join(app, '.polyseek/cache'), { recursive: true });
    const prebuilt = join(dist, 'prebuilt', `linux-${process.arch}`);
    for (const name of ['engine', 'hnswlib']) {
      renameSync(join(prebuilt, `${name}.node`), join(folder, `${name}.node`));
      // The loader refuses this, as it refuses a library for another C library.
      writeFileSync(join(prebuilt, `${name}.node`), 'not a library');
      renameSync(join(prebuilt, `${name}.node.sha256`), join(folder, `${name}.node.sha256`));
      writeDigest(join(prebuilt, `${name}.node`));
    }
    try {
      const { code, stderr } = await polyseek('index', 'docs', '--index', 'other');
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /Cannot compile (the engine|hnswlib).* g\+\+ is not installed\. On Debian, run apt-get install g\+\+\./,
      );
      const args = [join(dist, 'cli/polyseek.js'), 'index', 'docs', '--index', 'other'];
      execFileSync(process.execPath, args, { cwd: app, stdio: 'pipe' });
      const libraries = readdirSync(join(app, '.polyseek/native'));
      const target = `${process.platform}-${process.arch}`;
      expect(libraries.map((name) => name.replace(/-[0-9a-f]+\.node/, '')).sort()).toEqual(
        ['engine', 'hnswlib'].flatMap((name) => [`${name}-${target}`, `${name}-${target}.sha256`]),
      );
      expectSameFiles(join(app, '.polyseek/index'), join(app, 'other'));
    } finally {
      for (const name of ['engine.node', 'hnswlib.node', 'engine.node.sha256', 'hnswlib.node.sha256'])
        renameSync(join(folder, name), join(prebuilt, name));
    }
  });

  describe.skipIf(missingTools('Node 24 for arm64', 'qemu-aarch64-static', 'aarch64-linux-gnu-g++'))(
    'on arm64',
    () => {
      /** Runs a module on an emulated processor. -L: the folder of the arm64 C and C++ libraries of Debian's cross-compiler. */
      async function emulated(text: string): Promise<unknown> {
        const [script, out] = [join(folder, 'emulated.mjs'), join(folder, 'emulated.json')];
        writeFileSync(
          script,
          `${text}\nimport { writeFileSync } from 'node:fs';\nwriteFileSync(process.argv[2], JSON.stringify(result));`,
        );
        const args = ['-L', '/usr/aarch64-linux-gnu', tools['Node 24 for arm64'], script, out];
        const { code, stderr } = await finished(
          spawn(tools['qemu-aarch64-static'], args, { cwd: app, env: { HOME: '' } }),
        );
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        return JSON.parse(readFileSync(out, 'utf8'));
      }

      test('the libraries embed, link and search as on this processor', async () => {
        const program = `
        import { loadNative } from ${JSON.stringify(join(dist, 'index/engine/load-native.js'))};
        import { openLocal } from ${JSON.stringify(join(dist, 'index/ingest/open-local.js'))};
        const { HierarchicalNSW } = loadNative('hnswlib');
        const graph = new HierarchicalNSW('ip', 8);
        graph.initIndex(300, 16, 200, 100);
        for (let i = 0; i < 300; i++) graph.addPoint(Array.from({ length: 8 }, (_, j) => ((i * 37 + j * 101) % 509) - 250), i);
        const { neighbors, distances } = graph.searchKnn([1, -2, 3, -4, 5, -6, 7, -8], 20);
        const search = await openLocal('.polyseek/index');
        const { results } = await search.search({ q: ${JSON.stringify(QUESTION)}, k: 3, mode: 'hybrid' });
        const result = { neighbors, distances, results };`;
        const there = await emulated(`process.chdir(${JSON.stringify(app)});${program}`);
        const here = await finished(
          spawn(
            process.execPath,
            ['--input-type=module', '-e', `${program} console.log(JSON.stringify(result));`],
            {
              cwd: app,
              env: { PATH: bin },
            },
          ),
        );
        expect(here).toMatchObject({ code: 0, stderr: '' });
        expect(there).toEqual(JSON.parse(here.stdout));
      });

      test('the packaged function answers', async () => {
        const event = httpEvent(HTTP_API, { path: `/search?${new URLSearchParams({ q: QUESTION })}` });
        const { statusCode, body } = (await emulated(`
        import { handler } from ${JSON.stringify(join(app, 'function-arm64/lambda.mjs'))};
        const result = await handler(${JSON.stringify(event)}, { awsRequestId: 'id' });`)) as {
          statusCode: number;
          body: string;
        };
        expect(statusCode).toBe(200);
        expect((JSON.parse(body) as Answer).results[0]!.text).toContain('12 seconds');
      });
    },
  );
});

test('two builds have the same bytes: in another folder, with nothing compiled, other settings of the shell', () => {
  // Below the clone, because hard links need one file system.
  const copy = mkdtempSync(join(root, 'build/reproduce-'));
  try {
    const list =
      'git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$1" && cp -al node_modules "$1"';
    execFileSync('sh', ['-c', list, 'sh', copy], { cwd: root });
    execFileSync('sh', ['-c', 'umask 027 && chmod -R o-r *.* && npm run pack'], {
      cwd: copy,
      stdio: 'pipe',
      env: { ...process.env, ALL_ARCHITECTURES: '1', TZ: 'Asia/Tokyo', LC_ALL: 'C', HOME: copy },
    });
    expect(readdirSync(join(copy, 'build')).sort()).toEqual(['models', 'native', 'npm']);
    for (const name of ['polyseek', 'polyseek-client'].map((name) => `${name}-${version}.tgz`))
      expect(
        readFileSync(join(copy, 'build/npm', name)).equals(readFileSync(join(tarballs, name))),
        name,
      ).toBe(true);
  } finally {
    rmSync(copy, { recursive: true });
  }
}, 600_000);

describe('in a project', () => {
  const project = join(folder, 'project');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const program = (name: string) => `
    import { Polyseek, type Answer } from '${name}';
    const polyseek = new Polyseek({ url: 'http://localhost', apiKey: 'k' });
    export const answer: Promise<Answer> = polyseek.search('x');
    // @ts-expect-error: a question is a text
    polyseek.search(7);`;

  beforeAll(() => {
    mkdirSync(project);
    cpSync(join(app, 'docs'), join(project, 'docs'), { recursive: true });
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    const cdk = ['aws-cdk-lib', 'constructs'].map((name) => `${name}@${peerDependencies[name].slice(1)}`);
    npm(
      project,
      'install',
      ...QUICK,
      ...['polyseek', 'polyseek-client'].map((name) => join(tarballs, `${name}-${version}.tgz`)),
      ...cdk,
    );
  });

  test.each(['polyseek/client', 'polyseek-client'])('%s has types', (name) => {
    const file = join(project, 'client.ts');
    writeFileSync(file, program(name));
    const options =
      '--ignoreConfig --noEmit --strict --target es2022 --module nodenext --lib es2023,dom --types';
    execFileSync(process.execPath, [tsc, ...options.split(' '), '', file], {
      cwd: project,
      encoding: 'utf8',
    });
  });

  test('polyseek-client has no dependencies', () => {
    const { dependencies } = JSON.parse(
      readFileSync(join(project, 'node_modules/polyseek-client/package.json'), 'utf8'),
    );
    expect(dependencies).toBeUndefined();
  });

  test('polyseek/cdk synthesizes a stack', () => {
    cpSync(join(app, '.polyseek/index'), join(project, '.polyseek/index'), { recursive: true });
    writeFileSync(
      join(project, 'app.ts'),
      `import { App, Stack } from 'aws-cdk-lib';
      import { Architecture } from 'aws-cdk-lib/aws-lambda';
      import { SemanticSearch } from 'polyseek/cdk';
      const app = new App({ outdir: 'cdk.out' });
      const stack = new Stack(app, 'Docs');
      const search = new SemanticSearch(stack, 'Search', { auth: 'none', architecture: Architecture.ARM_64 });
      export const url: string = search.url;
      app.synth();`,
    );
    const options = '--ignoreConfig --strict --skipLibCheck --target es2022 --module nodenext --types';
    execFileSync(process.execPath, [tsc, ...options.split(' '), '', 'app.ts'], {
      cwd: project,
      encoding: 'utf8',
    });
    execFileSync(process.execPath, ['app.js'], { cwd: project, env: { PATH: bin }, stdio: 'pipe' });
    const template = JSON.parse(readFileSync(join(project, 'cdk.out/Docs.template.json'), 'utf8'));
    const types = Object.values(template.Resources as Record<string, { Type: string }>).map(
      ({ Type }) => Type,
    );
    expect(types).toEqual(expect.arrayContaining(['AWS::Lambda::Function', 'AWS::ApiGatewayV2::Api']));
    const assets = readdirSync(join(project, 'cdk.out')).filter((name) => name.startsWith('asset.'));
    expect(assets.map((name) => existsSync(join(project, 'cdk.out', name, 'lambda.mjs')))).toContain(true);
  });
});
