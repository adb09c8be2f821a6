import { type ChildProcess, execFileSync, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { percentile } from './stats.ts';

/** The cores that this program may use; none where this is not Linux. */
const CORES = process.platform === 'linux' ? allowedCores(readFileSync('/proc/self/status', 'utf8')) : [];
/** The one that what is measured runs on, as in Lambda at 1,769 MB. */
const CORE = CORES.slice(0, 1);
/** Those for whoever measures; the same one where there is no other. */
const OTHERS = CORES.length > 1 ? CORES.slice(1) : CORES;

/** A child's script, or another file beside this one. */
export function beside(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** The command that runs another on the one core. */
export function pinned(command: string[]): string[] {
  return ['taskset', '-c', String(CORE), ...command];
}

/** Refuses systems that have no `taskset` and `/proc`. */
export function checkSystem(): void {
  if (CORES.length === 0)
    throw new Error('The benchmark runs what it measures on one core with taskset: use Linux.');
}

/** Runs something with this process, and what it starts unpinned, kept off the core that is measured. */
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

/** The numbers in `Cpus_allowed_list:	0,2-3`. */
function allowedCores(status: string): number[] {
  const [, list = '0'] = /^Cpus_allowed_list:\s*(\S+)/m.exec(status) ?? [];
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** What a process that was started and asked once reports on standard error. */
export interface ColdReport {
  /** When it had its first answer, in milliseconds since 1970. */
  answered: number;
  /** The most memory that the kernel has seen in use by it. */
  rssKb: number;
  /** Milliseconds of each step, where it tells them. */
  steps?: Record<string, number>;
}

/** One cold start: milliseconds from the spawn to the first answer, and peak memory in MB. */
export interface ColdStart {
  ms: number;
  mb: number;
  steps: Record<string, number>;
}

/** Starts a command on the one core and waits for its report and its end. */
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

/** A process that stays, and times calls one after another. */
export interface Timed {
  /** Milliseconds that each took. */
  time(what: string, args: readonly unknown[]): Promise<number[]>;
  stop(): Promise<void>;
}

/** A module that is timed, or asked for what its functions answer. */
export interface TimedModule extends Timed {
  answers(what: string, args: readonly unknown[]): Promise<unknown[]>;
}

/**
 * A module in a fresh Node whose exported functions are timed.
 * @param options.argument what the module finds in `process.argv[3]`
 * @param options.allCores run on all cores rather than on one
 */
export function timedModule(file: string, { argument = '', allCores = false } = {}): TimedModule {
  const node = [process.execPath, beside('children/timed.mjs'), resolve(file), argument];
  const { child, failed, stop } = start(allCores ? node : pinned(node), [
    'ignore',
    'ignore',
    'inherit',
    'ipc',
  ]);
  const ask = async (what: string, args: readonly unknown[], keep: boolean) => {
    const reply = once(child, 'message');
    child.send({ what, args, keep });
    return (await Promise.race([reply, failed]))[0] as { times: number[]; answers: unknown[] };
  };
  return {
    time: async (what, args) => (await ask(what, args, false)).times,
    answers: async (what, args) => (await ask(what, args, true)).answers,
    stop,
  };
}

/** A program that reads a text a line and prints the milliseconds that it took to embed, as `c-engine.c` does. */
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

/** Calls to warm up before any is counted. */
const WARM_UP = 20;
/** Calls of one contestant before the next one's turn. */
const BLOCK = 20;

/** What is called of a process, with arguments that are made for each call. */
export interface Contestant {
  process: Timed;
  call: string;
  argument: () => unknown;
}

/** Milliseconds that half of the calls, and all but the slowest hundredth, took at most. */
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

/** A process, a promise that is rejected when it ends by itself, and how to end it. */
function start([program, ...args]: string[], stdio: StdioOptions) {
  const child: ChildProcess = spawn(program!, args, { stdio });
  const exited = once(child, 'exit');
  const failed = exited.then(([code, signal]): never => {
    throw new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}.`);
  });
  // Nobody may be waiting at that moment.
  failed.catch(() => {});
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { child, failed, stop };
}
