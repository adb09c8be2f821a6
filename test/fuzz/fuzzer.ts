import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPILER_ARGUMENTS, stageSource } from '../../index/engine/native-sources.ts';
import { instrument } from './instrument.ts';
import { seeds } from './seeds.ts';
import { targets } from './targets.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** Everything that fuzzing writes. */
const BUILD = here('../../build/fuzz');
/** The inputs that showed a defect, all fixed, in a folder for each target. */
export const DEFECTS = here('defects');
/** Contains libFuzzer. */
const CLANG = 'clang++-14';
/** The module with libFuzzer. */
export const DRIVER = join(BUILD, 'driver.node');
const BUNDLE = join(BUILD, 'targets.mjs');
const ENGINE = join(BUILD, 'engine');

/** Targets in C++ (native/fuzz.cc), which run in a program with sanitizers. They need no seeds. */
const NATIVE = ['native-encoder', 'native-tokens', 'native-arguments'];
export const TARGETS: readonly string[] = [...Object.keys(targets), ...NATIVE];

const SANITIZERS = [
  '-fsanitize=fuzzer,address,undefined,float-cast-overflow',
  // To trace comparisons would take two thirds of the time, most of it in the kernels' loops.
  '-fno-sanitize-coverage=trace-cmp',
  '-fno-sanitize-recover=all',
  ...['-O2', '-g'],
];

/** Seconds of the processor that an input may take. Far more than any takes. */
const SECONDS_PER_INPUT = 10;

/** Compiles what runs these targets. */
export async function prepare(chosen: readonly string[]): Promise<void> {
  mkdirSync(BUILD, { recursive: true });
  if (chosen.some((target) => NATIVE.includes(target))) compileEngine();
  if (chosen.every((target) => NATIVE.includes(target))) return;
  compileDriver();
  await instrument(here('child.ts'), DRIVER, BUNDLE);
}

/** Compiles libFuzzer as a module of Node. */
function compileDriver(): void {
  const headers = join(
    dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')),
    'include',
  );
  const library = 'libclang_rt.fuzzer_no_main-x86_64.a';
  const libFuzzer = execFileSync(CLANG, [`-print-file-name=${library}`], { encoding: 'utf8' }).trim();
  execFileSync(CLANG, [
    ...['-shared', '-fPIC', '-O2', '-std=gnu++17', '-pthread', '-DNODE_GYP_MODULE_NAME=driver'],
    ...['-I', headers, '-o', DRIVER, here('driver.cc')],
    ...['-Wl,--whole-archive', libFuzzer, '-Wl,--no-whole-archive'],
  ]);
}

/** Compiles the engine with the sanitizers. */
function compileEngine(): void {
  const sources = join(BUILD, 'native');
  stageSource(sources);
  cpSync(here('native'), sources, { recursive: true });
  // All arguments but those for libraries.
  const language = COMPILER_ARGUMENTS.engine.filter((argument) => /^-(?:std|f(?!PIC|vis)|D)/.test(argument));
  execFileSync(
    CLANG,
    [...language, ...SANITIZERS, '-Wno-everything', '-I', 'node', '-o', ENGINE, 'fuzz.cc'],
    { cwd: sources },
  );
}

/** What a run did. */
interface Run {
  /** How many inputs the target handled. */
  inputs: number;
  /** Branches reached, each counted for several numbers of repetitions. */
  features: number;
  /** The end of libFuzzer's output if it found a defect, or failed. */
  finding: string | undefined;
}

/** The program of a target, without libFuzzer's arguments. */
function programOf(target: string): string[] {
  if (NATIVE.includes(target)) return [ENGINE];
  // Most inputs end in errors, and their traces would take half of the time.
  const node = [
    process.execPath,
    '--max-old-space-size=1500',
    '--stack-trace-limit=0',
    // Less garbage collection.
    '--min-semi-space-size=32',
    '--max-semi-space-size=64',
    '--expose-gc',
    BUNDLE,
  ];
  return [
    ...node,
    DRIVER,
    target,
    String(SECONDS_PER_INPUT),
    `${node.join(' ')} ${DRIVER} ${target} ${SECONDS_PER_INPUT} libFuzzer`,
  ];
}

/**
 * Fuzzes a target.
 * @param folders of inputs, of which the first receives new ones
 * @param more arguments of libFuzzer
 */
async function fuzz(
  target: string,
  folders: string[],
  more: string[],
): Promise<{ code: number | null; output: string }> {
  const temporary = mkdtempSync(join(tmpdir(), 'polyseek-fuzz-'));
  const [program, ...first] = programOf(target);
  const args = [...first, ...more, `-artifact_prefix=${join(BUILD, 'findings', `${target}-`)}`, ...folders];
  const child = spawn(program!, args, {
    env: {
      ...process.env,
      TMPDIR: temporary,
      FUZZ_TARGET: target,
      ASAN_OPTIONS: 'detect_leaks=0:quarantine_size_mb=8',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-100_000);
  });
  try {
    await once(child, 'close');
    return { code: child.exitCode, output };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function folder(...path: string[]): string {
  const created = join(...path);
  mkdirSync(created, { recursive: true });
  return created;
}

/** Writes the seeds of a target to a folder. */
function seedFolder(target: string): string {
  const path = join(BUILD, 'seeds', target);
  rmSync(path, { recursive: true, force: true });
  folder(path);
  for (const [i, seed] of (seeds[target] ?? [Buffer.alloc(300, 'polyseek')]).entries())
    writeFileSync(join(path, `seed-${i}`), seed);
  return path;
}

/** How long a run is, and what it leaves. */
interface RunSettings {
  /** At least, unless the time ends. */
  inputs: number;
  /** At most. 0 for any time. */
  seconds?: number;
  /** Of the random numbers. */
  seed: number;
  /** Whether inputs that reach new code are kept for later runs. */
  keep: boolean;
}

/** Sends mutated inputs to a target, from its seeds, fixed defects, and the inputs of earlier runs. */
export async function run(target: string, { inputs, seconds = 0, seed, keep }: RunSettings): Promise<Run> {
  folder(BUILD, 'findings');
  const kept = keep ? [folder(BUILD, 'corpus', target)] : [];
  const defects = join(DEFECTS, target);
  const folders = [...kept, ...(existsSync(defects) ? [defects] : []), seedFolder(target)];
  // libFuzzer writes new inputs into its first folder.
  const first = keep ? [] : [folder(mkdtempSync(join(tmpdir(), 'polyseek-corpus-')))];
  try {
    const settings = [
      `-runs=${inputs}`,
      `-max_total_time=${seconds}`,
      `-seed=${seed}`,
      '-max_len=40000',
      '-rss_limit_mb=3000',
      '-print_final_stats=1',
      '-report_slow_units=1000',
      '-reload=0',
      // Mutates inputs that take long less often.
      '-entropic_scale_per_exec_time=1',
    ];
    const { code, output } = await fuzz(target, [...first, ...folders], settings);
    const last = [...output.matchAll(/^#(\d+)\s.*?\b(?:cov: \d+ )?ft: (\d+)/gm)].at(-1);
    return {
      inputs: Number(/number_of_executed_units: (\d+)/.exec(output)?.[1] ?? last?.[1] ?? 0),
      features: Number(last?.[2] ?? 0),
      finding: code === 0 ? undefined : output.slice(-6000),
    };
  } finally {
    for (const path of first) rmSync(path, { recursive: true });
  }
}
