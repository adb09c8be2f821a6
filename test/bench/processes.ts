import { type ChildProcess, execFileSync, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { percentile } from './stats.ts';

/** The cores that this program may use. Empty on systems other than Linux. */
const CORES = process.platform === 'linux' ? allowedCores(readFileSync('/proc/self/status', 'utf8')) : [];
/** The core for contestants: Lambda has one at 1,769 MB. */
const CORE = CORES.slice(0, 1);
/** The cores for the benchmark itself; the same core if there is only one. */
const OTHERS = CORES.length > 1 ? CORES.slice(1) : CORES;

/** Returns the path of a file beside this one. */
export function beside(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** Returns a command that runs on the contestants' core. */
export function pinned(command: string[]): string[] {
  return ['taskset', '-c', String(CORE), ...command];
}

/** @throws on systems without `taskset` and `/proc` */
export function checkSystem(): void {
  if (CORES.length === 0)
    throw new Error('The benchmark needs Linux: it pins processes to one core with taskset.');
}

/** Runs a function while this process and its unpinned children avoid the contestants' core. */
export async function aside<T>(measure: () => Promise<T>): Promise<T> {
  moveTo(OTHERS);
  try {
    return await measure();
  } finally {
    moveTo(CORES);
  }
}

function moveTo(cores: readonly number[]): void {
  execFileSync('taskset', ['-a', '-c', '-p', cores.join(), String(process.pid)], { stdio: 'ignore' });
}

/** Parses the numbers in `Cpus_allowed_list:	0,2-3`. */
function allowedCores(status: string): number[] {
  const [, list = '0'] = /^Cpus_allowed_list:\s*(\S+)/m.exec(status) ?? [];
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** The report of a cold process on standard error, after its first answer. */
interface ColdReport {
  /** Time of the first answer, in milliseconds since 1970. */
  answered: number;
  /** Peak resident memory, as counted by the kernel. */
  rssKb: number;
  /** Milliseconds of each step, if it reports steps. */
  steps?: Record<string, number>;
}

/** One cold start: milliseconds from the spawn to the first answer, and peak memory in MB. */
export interface ColdStart {
  ms: number;
  mb: number;
  steps: Record<string, number>;
}

/** Starts a command on the contestants' core, and waits for its report and exit. */
export function coldStart(command: string[], input = ''): ColdStart {
  const [program, ...args] = pinned(command);
  const spawned = Date.now();
  const { status, stderr, error } = spawnSync(program!, args, {
    encoding: 'utf8',
    input,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`${command.join(' ')} failed: ${error?.message ?? stderr}`);
  const { answered, rssKb, steps = {} } = JSON.parse(stderr) as ColdReport;
  return { ms: answered - spawned, mb: rssKb / 1024, steps };
}

/** A running process that times calls, one after another. */
export interface Timed {
  /** Returns the milliseconds of each call. */
  time(name: string, args: readonly unknown[]): Promise<number[]>;
  stop(): Promise<void>;
}

/** A module whose functions are timed or called. */
interface TimedModule extends Timed {
  answers(name: string, args: readonly unknown[]): Promise<unknown[]>;
}

/**
 * Loads a module in a new Node process, to time its exported functions.
 * @param options.argument the module's `process.argv[3]`
 * @param options.allCores whether to run on all cores rather than one
 */
export function timedModule(file: string, { argument = '', allCores = false } = {}): TimedModule {
  const node = [process.execPath, beside('children/timed.mjs'), resolve(file), argument];
  const { child, failed, stop } = start(allCores ? node : pinned(node), [
    'ignore',
    'ignore',
    'inherit',
    'ipc',
  ]);
  const ask = async (name: string, args: readonly unknown[], keep: boolean) => {
    const reply = once(child, 'message');
    child.send({ name, args, keep });
    return (await Promise.race([reply, failed]))[0] as { times: number[]; answers: unknown[] };
  };
  return {
    time: async (name, args) => (await ask(name, args, false)).times,
    answers: async (name, args) => (await ask(name, args, true)).answers,
    stop,
  };
}

/** A program that reads one text a line and prints the milliseconds of embedding it, like `c-engine.c`. */
export function timedLines(command: string[]): Timed {
  const { child, failed, stop } = start(pinned(command), ['pipe', 'pipe', 'ignore']);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    async time(_, args) {
      const found: number[] = [];
      for (const text of args) {
        child.stdin!.write(`${text}\n`);
        found.push(Number((await Promise.race([lines.next(), failed])).value));
      }
      return found;
    },
    stop,
  };
}

/** Warm-up calls, which are not counted. */
const WARM_UP = 20;
/** Calls of one contestant in each of its turns. */
const BLOCK = 20;

/** A function of a process, with arguments made for each call. */
export interface Contestant {
  process: Timed;
  call: string;
  argument: () => unknown;
}

/** Median and 99th percentile, in milliseconds. */
export interface Latency {
  p50: number;
  p99: number;
}

/** Times calls of several contestants in turns, block by block. */
export async function inTurns<Name extends string>(
  contestants: Record<Name, Contestant>,
  calls: number,
): Promise<Record<Name, Latency>> {
  const entries = Object.entries(contestants) as [Name, Contestant][];
  const times = new Map(entries.map(([name]): [Name, number[]] => [name, []]));
  const block = ({ process, call, argument }: Contestant, length: number) =>
    process.time(call, Array.from({ length }, argument));
  for (const [, contestant] of entries) await block(contestant, WARM_UP);
  for (let done = 0; done < calls; done += BLOCK)
    for (const [name, contestant] of entries)
      times.get(name)!.push(...(await block(contestant, Math.min(BLOCK, calls - done))));
  const summaries = entries.map(([name]) => {
    const all = times.get(name)!;
    return [name, { p50: percentile(all, 0.5), p99: percentile(all, 0.99) }];
  });
  return Object.fromEntries(summaries) as Record<Name, Latency>;
}

/** A process, a promise that rejects if it exits by itself, and a function to stop it. */
function start([program, ...args]: string[], stdio: StdioOptions) {
  const child: ChildProcess = spawn(program!, args, { stdio });
  const exited = once(child, 'exit');
  const failed = exited.then(([code, signal]): never => {
    throw new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}.`);
  });
  // Nothing may be awaiting it at that moment.
  failed.catch(() => {});
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { child, failed, stop };
}
