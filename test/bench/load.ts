import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LambdaRuntime, report } from '../fixtures/lambda-runtime.ts';
import { questionMaker } from './corpus.ts';
import { searchEvent } from './event.ts';
import type { Figure } from './figures.ts';
import { preparedModel } from './prepare.ts';
import type { Section, Table } from './report.ts';
import { type LoadReport, load as loadServer, type Served, startPolyseek } from './server.ts';
import { percentile } from './stats.ts';

const CONNECTIONS = 64;
/** How many times as many questions as the server answers. */
const OVERLOAD = 4;
const HALF_OPEN = 10_000;
/** The server ends connections without a request after 10 s, and looks every 2 s. */
const HALF_OPEN_MS = 15_000;
const TOKENS = 12;
const SEED = 15;
/** Memory is compared with that after this time, when all that stays was loaded. */
const WARM_MS = 60_000;

interface Steady extends Omit<LoadReport, 'refused'> {
  /** Resident memory after the first minute and at the end, in MB. */
  mb: [warm: number, end: number];
}

interface Measured {
  server: Steady;
  function: Steady;
  overload: LoadReport & { rate: number; recoveryMs: number };
  halfOpen: { slowestMs: number; mb: [before: number, during: number, after: number] };
}

/**
 * Loads the server and the packaged function for a long time, then the server with more than it can answer, and with connections that never
 * send a whole request.
 * @param index of the server
 * @param folder of the function, with the same index
 * @param seconds of each long load
 */
export async function load(index: string, folder: string, seconds: number): Promise<Section> {
  const server = await startPolyseek(index);
  let measured: Measured;
  try {
    const steady = await steadyServer(server, seconds);
    const overload = await overloaded(server, (OVERLOAD * 1000 * steady.answers) / steady.ms);
    measured = {
      server: steady,
      overload,
      halfOpen: await halfOpen(server),
      function: await steadyFunction(folder, seconds),
    };
  } finally {
    await server.stop();
  }
  return {
    name: 'load',
    figures: figuresOf(measured),
    tables: [steadyTable(measured, seconds), limitTable(measured)],
    measured,
  };
}

async function steadyServer({ url, pid }: Served, seconds: number): Promise<Steady> {
  const loading = loadServer({
    url,
    connections: CONNECTIONS,
    ms: seconds * 1000,
    tokens: TOKENS,
    seed: SEED,
  });
  await sleep(Math.min(WARM_MS, seconds * 500));
  const warm = residentMb(pid);
  const { refused, errors, ...rest } = await loading;
  return { ...rest, errors: errors + refused, mb: [warm, residentMb(pid)] };
}

/** Lambda gives an environment one question at a time. */
async function steadyFunction(folder: string, seconds: number): Promise<Steady> {
  const question = await questionMaker(preparedModel().countTokens, SEED);
  const runtime = new LambdaRuntime({ folder: resolve(folder) });
  try {
    await runtime.invoke(searchEvent(question(TOKENS)));
    const times: number[] = [];
    let [errors, warm] = [0, 0];
    const start = performance.now();
    for (let ms = 0; ms < seconds * 1000; ms = performance.now() - start) {
      const answer = await runtime.invoke(searchEvent(question(TOKENS)));
      if (answer.functionError) throw new Error(`The function ended: ${JSON.stringify(answer.payload)}`);
      const { statusCode } = answer.payload as { statusCode?: number };
      if (statusCode !== 200) errors++;
      times.push(report(answer).record.metrics.durationMs!);
      if (warm === 0 && ms > Math.min(WARM_MS, seconds * 500)) warm = residentMb(runtime.process!.pid);
    }
    return {
      answers: times.length,
      errors,
      ms: performance.now() - start,
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      mb: [warm, residentMb(runtime.process!.pid)],
    };
  } finally {
    await runtime.close();
  }
}

async function overloaded({ url }: Served, rate: number): Promise<Measured['overload']> {
  const options = { url, connections: 2000, ms: 30_000, tokens: TOKENS, seed: SEED + 1, rate };
  const found = await loadServer(options);
  const recoveryMs = await askOnce(url, 'Is anybody there now?');
  return { ...found, rate, recoveryMs };
}

/** Milliseconds until a question was answered, with results. */
async function askOnce(url: string, q: string): Promise<number> {
  const start = performance.now();
  for (;;) {
    const { status } = await fetch(`${url}/search?${new URLSearchParams({ q })}`);
    if (status === 200) return performance.now() - start;
    if (status !== 503) throw new Error(`The server answered ${status}.`);
    await sleep(20);
  }
}

async function halfOpen({ url, pid }: Served): Promise<Measured['halfOpen']> {
  const { hostname, port } = new URL(url);
  const before = residentMb(pid);
  const sockets: Socket[] = [];
  for (let i = 0; i < HALF_OPEN; i++) {
    const socket = connect(Number(port), hostname)
      .on('error', () => {})
      .resume();
    sockets.push(socket);
    socket.write('GET /search?q=half HTTP/1.1\r\nHost: localhost\r\nX-');
    // A listener accepts some hundred connections at once.
    if (i % 200 === 199) await sleep(10);
  }
  const times: number[] = [];
  for (let i = 0; i < 50; i++) times.push(await askOnce(url, `Question ${i} of many?`));
  const during = residentMb(pid);
  await sleep(HALF_OPEN_MS);
  const open = sockets.filter(({ destroyed, readyState }) => !destroyed && readyState === 'open').length;
  for (const socket of sockets) socket.destroy();
  if (open > 0) throw new Error(`The server kept ${open} connections that never sent a request.`);
  await sleep(5000);
  return { slowestMs: Math.max(...times), mb: [before, during, residentMb(pid)] };
}

function residentMb(pid: number): number {
  const [, kb] = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m) ?? [];
  return Number(kb) / 1024;
}

function figuresOf({ server, function: own, overload, halfOpen }: Measured): Figure[] {
  const steady = (name: string, { errors, p50, p99, mb }: Steady): Figure[] => [
    { name: `errors of the ${name}`, value: errors, unit: 'count', goal: 0 },
    { name: `p99 of the ${name}, against its p50`, value: p99 / p50, unit: 'ratio', goal: 10 },
    {
      name: `memory of the ${name} at the end, against that after a minute`,
      value: mb[1] / mb[0],
      unit: 'ratio',
      goal: 1.1,
    },
  ];
  return [
    ...steady('server', server),
    ...steady('function', own),
    { name: 'errors besides 503 under overload', value: overload.errors, unit: 'count', goal: 0 },
    { name: 'recovery after overload', value: overload.recoveryMs, unit: 'ms', goal: 1000 },
    {
      name: 'slowest answer beside half-open connections',
      value: halfOpen.slowestMs,
      unit: 'ms',
      goal: 1000,
    },
    {
      name: 'memory after half-open connections',
      value: halfOpen.mb[2] / halfOpen.mb[0],
      unit: 'ratio',
      goal: 1.25,
    },
  ];
}

function steadyTable({ server, function: own }: Measured, seconds: number): Table {
  const row = (name: string, { answers, errors, ms, p50, p99, mb }: Steady) => [
    name,
    String(answers),
    String(errors),
    ((answers / ms) * 1000).toFixed(1),
    `${p50.toFixed(1)} ms, ${p99.toFixed(1)} ms`,
    mb.map((each) => `${each.toFixed(0)} MB`).join(', '),
  ];
  return {
    title: `${seconds} s, questions of ${TOKENS} tokens, all different`,
    head: ['load', 'answers', 'errors', 'a second', 'p50, p99', 'memory after a minute, at the end'],
    rows: [row(`server, ${CONNECTIONS} connections`, server), row('packaged function, one environment', own)],
  };
}

function limitTable({ overload, halfOpen }: Measured): Table {
  const { rate, answers, refused, errors, ms, p50, p99, recoveryMs } = overload;
  return {
    title: 'The server at its limits',
    head: ['load', 'what happened'],
    rows: [
      [
        `${rate.toFixed(0)} questions a second for ${(ms / 1000).toFixed(0)} s, ${OVERLOAD} times what it answers`,
        `${answers} answered (p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms), ${refused} refused with 503 and Retry-After, ${errors} other errors; the next question was answered after ${recoveryMs.toFixed(0)} ms`,
      ],
      [
        `${HALF_OPEN.toLocaleString('en')} connections that send half a request`,
        `other questions took at most ${halfOpen.slowestMs.toFixed(0)} ms; all were closed after ${HALF_OPEN_MS / 1000} s; memory before, during and after: ${halfOpen.mb.map((mb) => `${mb.toFixed(0)} MB`).join(', ')}`,
      ],
    ],
  };
}
