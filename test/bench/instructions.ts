import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Embedder } from '../../index/embedding/embedder.ts';
import { COMPILER_ARGUMENTS } from '../../index/engine/native-sources.ts';
import { RowFile } from '../../index/format/rows-file.ts';
import type { Figure } from './figures.ts';
import { cachePath, preparedModel } from './prepare.ts';
import { beside } from './processes.ts';
import type { Section } from './report.ts';

/** Tokens of the text. */
const TOKENS = 16;
const TEXT = 'Everyone has the right to freedom of thought, conscience and religion, alone or with others.';

const NATIVE = fileURLToPath(new URL('../../index/engine/native', import.meta.url));

/** A program that counts a kernel's instructions on any machine. */
interface Counter {
  kernel: string;
  compiler: string;
  program: string;
  /** The package of compiler and program, on Debian. */
  packages: string;
  count(program: string, command: string[]): Promise<number>;
  /** In millions. */
  goal?: number;
}

// No program here emulates AVX-512 and AMX.
const COUNTERS: Counter[] = [
  {
    kernel: 'avx2',
    compiler: 'g++',
    program: 'valgrind',
    packages: 'g++ valgrind',
    count: countWithCallgrind,
    goal: 42,
  },
  {
    kernel: 'neon',
    compiler: 'aarch64-linux-gnu-g++',
    program: 'qemu-aarch64-static',
    packages: 'g++-aarch64-linux-gnu qemu-user-static',
    count: countWithQemu,
  },
];

/** Counts the instructions of one run of 16 tokens by each kernel whose compiler and emulator are installed. */
export async function instructions(): Promise<Section> {
  const { model } = preparedModel();
  const embedder = await Embedder.open(model, { verify: false });
  const rows = cachePath('rows.f32');
  writeFileSync(rows, new RowFile(join(model, 'rows.bin')).sum(embedder.ids(TEXT, 'query').slice(0, TOKENS)));
  const figures: Figure[] = [];
  const table: string[][] = [];
  for (const { kernel, compiler, program, packages, count, goal } of COUNTERS) {
    if (![compiler, program].every(isInstalled)) {
      console.error(`Skipping ${kernel}. On Debian, run apt-get install ${packages}.`);
      continue;
    }
    const built = compile(compiler, kernel);
    const ofRuns = (runs: number) =>
      count(program, [built, join(model, 'encoder.bin'), rows, kernel, String(runs)]);
    // The difference leaves out what the program does besides.
    const value = ((await ofRuns(2)) - (await ofRuns(1))) / 1e6;
    figures.push({ name: `${kernel}: instructions for ${TOKENS} tokens`, value, unit: 'millions', goal });
    table.push([kernel, program, `${value.toFixed(1)} million`]);
  }
  return {
    name: 'instructions',
    figures,
    tables: [
      {
        title: `Instructions of one run of ${TOKENS} tokens`,
        head: ['kernel', 'counted by', 'instructions'],
        rows: table,
      },
    ],
    measured: Object.fromEntries(figures.map(({ name, value }) => [name, value])),
  };
}

function isInstalled(program: string): boolean {
  return spawnSync('which', [program]).status === 0;
}

/** Compiles `kernel.cc` as the engine is compiled. Returns the program's path. */
function compile(compiler: string, name: string): string {
  const program = cachePath(`kernel-${name}`);
  const same = COMPILER_ARGUMENTS.engine.filter((argument) => /^-(O|std|f|W)/.test(argument));
  execFileSync(compiler, [...same, '-static', '-I', NATIVE, '-o', program, beside('children/kernel.cc')]);
  return program;
}

async function countWithCallgrind(program: string, command: string[]): Promise<number> {
  const { stderr } = spawnSync(program, ['--tool=callgrind', '--callgrind-out-file=/dev/null', ...command], {
    encoding: 'utf8',
  });
  const [, count] = /Collected : (\d+)/.exec(stderr) ?? [];
  if (!count) throw new Error(`${program} failed: ${stderr}`);
  return Number(count);
}

/** Adds up the instructions of all blocks that QEMU logs: `0x401b00:  d503201f  nop` of new ones, `Trace 0: … […/pc/…]` of runs. */
async function countWithQemu(program: string, command: string[]): Promise<number> {
  const child = spawn(program, ['-cpu', 'max', '-d', 'in_asm,exec,nochain', ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const sizes = new Map<number, number>();
  let start: number | undefined;
  let count = 0;
  for await (const line of createInterface({ input: child.stderr })) {
    const [, traced] = /^Trace \d+: \S+ \[[0-9a-f]+\/([0-9a-f]+)\//.exec(line) ?? [];
    const [, listed] = /^(0x[0-9a-f]+):/.exec(line) ?? [];
    if (traced) count += sizes.get(Number.parseInt(traced, 16)) ?? 0;
    if (listed) {
      start ??= Number(listed);
      sizes.set(start, Number(listed) === start ? 1 : sizes.get(start)! + 1);
    } else start = undefined;
  }
  const [code] = await exited;
  if (code !== 0) throw new Error(`${program} ended with ${code}.`);
  return count;
}
