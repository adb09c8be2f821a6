import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LambdaRuntime } from '../fixtures/lambda-runtime.ts';
import { questionMaker } from './corpus.ts';
import { searchEvent } from './event.ts';
import { type Figure, shown } from './figures.ts';
import { preparedModel } from './prepare.ts';
import type { Section, Table } from './report.ts';
import { median, percentile } from './stats.ts';

/** Environments that answer at the same time, as Lambda would start them for as many callers. */
const ENVIRONMENTS = 50;
/** Starts at once, and questions to each environment at once in a burst. A stand-in for S3 Vectors answers some a second in all. */
const LOADS = { bundle: { starts: 100, burst: 10 }, remote: { starts: 10, burst: 1 } };
/** Starts of one environment alone, for comparison. */
const ALONE = 7;
/** Most questions a second to each environment under sustained load, and the share of what this machine can answer. */
const MOST_RATE = 1;
const SHARE = 0.5;

const TOKENS = 12;
const SEED = 100;

/** What a storm needs: a packaged function, and different questions. */
interface StormOptions {
  folder: string;
  question: () => string;
  /** Of each load. */
  seconds: number;
  /** Environment variables of the function. */
  env: Record<string, string>;
  starts: number;
  burst: number;
}

/** Answers under a load. */
interface Load {
  answers: number;
  errors: number;
  perSecond: number;
  p50: number;
  p99: number;
}

interface Memory {
  /** Resident memory of a process, which counts shared pages in each process. Median, in MB. */
  rssMb: number;
  /** Memory of all processes together, in MB: each shared page counts once. */
  totalMb: number;
}

interface Starts {
  alone: number[];
  failedAlone: number;
  together: number[];
  /** Milliseconds until all had answered. */
  all: number;
  errors: number;
  memory: Memory;
}

/**
 * Measures many execution environments of one function on this machine, under AWS's runtime client. In Lambda each has a processor of
 * its own. Here they share a few, so that only errors, memory and the spread of times are to be compared.
 */
export async function storm(
  folder: string,
  seconds: number,
  env: Record<string, string> = {},
): Promise<Section> {
  const question = await questionMaker(preparedModel().countTokens, SEED);
  const options = {
    folder,
    question: () => question(TOKENS),
    seconds,
    env,
    ...LOADS[env.INDEX ? 'remote' : 'bundle'],
  };
  const starts = await coldStorm(options);
  const { rate, sustained, single, burst, after, memory } = await warmLoads(options);
  return {
    name: 'storm',
    figures: figuresOf(starts, { sustained, single, burst, after }),
    tables: [
      startsTable(starts),
      loadsTable(rate, { single, sustained, burst, after }),
      memoryTable(starts, memory),
    ],
    measured: { starts, rate, single, sustained, burst, after, memory },
  };
}

/** Starts one environment after the other, and then all at once. Each answers one question. */
async function coldStorm(options: StormOptions): Promise<Starts> {
  const alone: number[] = [];
  let failedAlone = 0;
  for (let i = 0; i < ALONE; i++) {
    const [environment] = environmentsOf(options, 1);
    const { ms, ids } = await timed(environment!, options.question());
    alone.push(ms);
    if (ids === undefined) failedAlone++;
    await environment!.close();
  }
  const environments = environmentsOf(options, options.starts);
  try {
    const question = options.question();
    const begun = performance.now();
    const answers = await Promise.all(environments.map((environment) => timed(environment, question)));
    const all = performance.now() - begun;
    // All were asked the same: an answer that differs is wrong.
    const errors = answers.filter(({ ids }) => ids === undefined || ids !== answers[0]!.ids).length;
    return {
      alone,
      failedAlone,
      together: answers.map(({ ms }) => ms),
      all,
      errors,
      memory: memoryOf(environments),
    };
  } finally {
    await closeAll(environments);
  }
}

async function warmLoads(options: StormOptions) {
  const environments = environmentsOf(options, ENVIRONMENTS);
  try {
    for (const environment of environments) await timed(environment, options.question());
    // Environments in Lambda do not share processors: an overloaded machine would measure its own queue.
    const { perSecond } = await burstLoad(environments, options);
    const rate = Math.min(MOST_RATE, (SHARE * perSecond) / ENVIRONMENTS);
    const steady = (some: readonly LambdaRuntime[], seconds: number) =>
      steadyLoad(some, options.question, rate, seconds);
    const single = await steady(environments.slice(0, 1), options.seconds);
    const sustained = await steady(environments, options.seconds);
    const burst = await burstLoad(environments, options);
    const after = await steady(environments, options.seconds / 2);
    return { rate, single, sustained, burst, after, memory: memoryOf(environments) };
  } finally {
    await closeAll(environments);
  }
}

/** Asks each environment a fixed number of questions a second. Times count from when a question is due, so that waiting counts. */
async function steadyLoad(
  environments: readonly LambdaRuntime[],
  question: () => string,
  rate: number,
  seconds: number,
): Promise<Load> {
  const interval = 1000 / rate;
  const begun = performance.now();
  const asked = environments.flatMap((environment, number) =>
    Array.from({ length: Math.ceil(seconds * rate) }, async (_, turn) => {
      // Environments take turns within the interval.
      const due = begun + (turn + number / environments.length) * interval;
      await sleep(Math.max(0, due - performance.now()));
      return timed(environment, question(), due);
    }),
  );
  return summary(await Promise.all(asked), performance.now() - begun);
}

/** Asks each environment many questions at once. Each answers one after the other. */
async function burstLoad(
  environments: readonly LambdaRuntime[],
  { question, burst }: StormOptions,
): Promise<Load> {
  const begun = performance.now();
  const asked = environments.flatMap((environment) =>
    Array.from({ length: burst }, () => timed(environment, question(), begun)),
  );
  return summary(await Promise.all(asked), performance.now() - begun);
}

interface Timed {
  ms: number;
  /** The ids of the results; undefined after an error. */
  ids: string | undefined;
}

async function timed(environment: LambdaRuntime, question: string, due = performance.now()): Promise<Timed> {
  const { payload, functionError } = await environment.invoke(searchEvent(question));
  const ms = performance.now() - due;
  const { statusCode, body } = payload as { statusCode?: number; body?: string };
  if (functionError || statusCode !== 200) return { ms, ids: undefined };
  const { results } = JSON.parse(body!) as { results: { id: string }[] };
  return { ms, ids: results.map(({ id }) => id).join('\n') };
}

function summary(answers: readonly Timed[], ms: number): Load {
  const times = answers.map((answer) => answer.ms);
  return {
    answers: answers.length,
    errors: answers.filter(({ ids }) => ids === undefined).length,
    perSecond: (answers.length / ms) * 1000,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
  };
}

/** Environments that are not started yet. Their limits are those of a machine that they share. */
function environmentsOf({ folder, env }: StormOptions, count: number): LambdaRuntime[] {
  const limits = { timeoutMs: 120_000, initLimitMs: 120_000, memoryIntervalMs: 1000, readOnly: false };
  return Array.from({ length: count }, () => new LambdaRuntime({ folder: resolve(folder), env, ...limits }));
}

async function closeAll(environments: readonly LambdaRuntime[]): Promise<void> {
  await Promise.all(environments.map((environment) => environment.close()));
}

function memoryOf(environments: readonly LambdaRuntime[]): Memory {
  const rolls = environments.flatMap(({ process }) =>
    process ? [readFileSync(`/proc/${process.pid}/smaps_rollup`, 'utf8')] : [],
  );
  const sizes = (name: string) =>
    rolls.map((roll) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(roll)?.[1]) / 1024);
  return { rssMb: median(sizes('Rss')), totalMb: sizes('Pss').reduce((sum, mb) => sum + mb, 0) };
}

type Loads = Record<'single' | 'sustained' | 'burst' | 'after', Load>;

function figuresOf({ alone, failedAlone, together, all, errors }: Starts, loads: Loads): Figure[] {
  const ratio = (name: string, value: number): Figure => ({ name, value, unit: 'ratio' });
  const failed = Object.values(loads).reduce((sum, load) => sum + load.errors, failedAlone + errors);
  return [
    { name: 'errors in all storms', value: failed, unit: 'count', goal: 0 },
    ratio(
      `${together.length} starts at once: the slowest against the median`,
      Math.max(...together) / median(together),
    ),
    ratio(
      `${together.length} starts at once: time for all against as many alone`,
      all / (together.length * median(alone)),
    ),
    ratio(`${ENVIRONMENTS} environments: p50 against one alone`, loads.sustained.p50 / loads.single.p50),
    ratio('p50 after a burst against before', loads.after.p50 / loads.sustained.p50),
  ];
}

const ms = (value: number) => `${value.toFixed(0)} ms`;
const mb = (value: number) => `${value.toFixed(0)} MB`;

function startsTable({ alone, failedAlone, together, all, errors }: Starts): Table {
  const of = (name: string, times: readonly number[], failed: number) => [
    name,
    String(failed),
    ms(Math.min(...times)),
    ms(median(times)),
    ms(Math.max(...times)),
    shown(median(times) / median(alone), 'ratio'),
  ];
  return {
    title: `Start to first answer; all ${together.length} answered after ${ms(all)}`,
    head: ['starts', 'errors', 'fastest', 'median', 'slowest', 'median against alone'],
    rows: [of('one after the other', alone, failedAlone), of(`${together.length} at once`, together, errors)],
  };
}

function loadsTable(rate: number, { single, sustained, burst, after }: Loads): Table {
  const row = (name: string, { answers, errors, perSecond, p50, p99 }: Load) => [
    name,
    String(answers),
    String(errors),
    perSecond.toFixed(1),
    ms(p50),
    ms(p99),
  ];
  return {
    title: `Warm environments, ${rate.toFixed(2)} questions a second each, every question another`,
    head: ['load', 'answers', 'errors', 'answers a second', 'p50', 'p99'],
    rows: [
      row('1 environment', single),
      row(`${ENVIRONMENTS} environments`, sustained),
      row(`${ENVIRONMENTS} environments, ${burst.answers} questions at once`, burst),
      row(`${ENVIRONMENTS} environments, after the burst`, after),
    ],
  };
}

function memoryTable({ memory: cold, together }: Starts, warm: Memory): Table {
  const row = (count: number, when: string, { rssMb, totalMb }: Memory) => [
    `${count}, ${when}`,
    mb(rssMb),
    mb(totalMb),
    mb(totalMb / count),
  ];
  return {
    title: 'Memory',
    head: ['environments', 'RSS of one', 'all together, shared pages once', 'of that, each'],
    rows: [row(together.length, 'after one question', cold), row(ENVIRONMENTS, 'after all loads', warm)],
  };
}
