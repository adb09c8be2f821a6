import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Figure } from './figures.ts';
import type { Prepared } from './prepare.ts';
import { beside, pinned } from './processes.ts';
import type { Table } from './report.ts';
import { percentile } from './stats.ts';

const CONNECTIONS = [1, 8, 64];
const TOKENS = 12;
/** Turns of each server at each number of connections. */
const TURNS = 3;

/** The report of `children/load.ts`. */
export interface LoadReport {
  answers: number;
  errors: number;
  /** Answers 503 with `Retry-After`. */
  refused: number;
  ms: number;
  p50: number;
  p99: number;
}

/** A server's results at a number of connections. */
interface Load {
  connections: number;
  polyseek: { perSecond: number; p99: number; errors: number };
  plain: { perSecond: number; p99: number; errors: number };
}

/** Compares the servers of polyseek (`npm start`) and the plain function, each on the contestants' core, in turns. */
export async function serverLoads(prepared: Prepared, seconds: number): Promise<Load[]> {
  const env = { ...process.env, PORT: '0', HOST: '127.0.0.1' };
  const plainFile = resolve(prepared.plain, 'index.mjs');
  const polyseek = await startPolyseek(prepared.index);
  const plain = await startServer([process.execPath, beside('children/plain-server.mjs'), plainFile], env);
  const loads: Load[] = [];
  let seed = 1;
  const ask = (url: string, connections: number, ms: number) =>
    load({ url, connections, ms, tokens: TOKENS, seed: seed++ });
  try {
    for (const connections of CONNECTIONS) {
      const reports: Record<'polyseek' | 'plain', LoadReport[]> = { polyseek: [], plain: [] };
      for (let turn = 0; turn < TURNS; turn++) {
        reports.polyseek.push(await ask(polyseek.url, connections, (seconds * 1000) / TURNS));
        reports.plain.push(await ask(plain.url, connections, (seconds * 1000) / TURNS));
      }
      loads.push({ connections, polyseek: summary(reports.polyseek), plain: summary(reports.plain) });
    }
  } finally {
    await Promise.all([polyseek.stop(), plain.stop()]);
  }
  return loads;
}

export function loadFigures(loads: readonly Load[]): Figure[] {
  return loads.map(({ connections, polyseek, plain }) => ({
    name: `answers a second at ${connections} connections, against the plain function's`,
    value: polyseek.perSecond / plain.perSecond,
    unit: 'times',
  }));
}

export function loadTable(loads: readonly Load[], seconds: number): Table {
  return {
    title: `Server on one core, ${seconds} s each in ${TURNS} turns, questions of ${TOKENS} tokens, all different`,
    head: [
      'connections',
      'polyseek: answers a second',
      'p99',
      'errors',
      'plain: answers a second',
      'p99',
      'errors',
    ],
    rows: loads.map(({ connections, polyseek, plain }) => [
      String(connections),
      ...[polyseek, plain].flatMap(({ perSecond, p99, errors }) => [
        perSecond.toFixed(1),
        `${p99.toFixed(0)} ms`,
        String(errors),
      ]),
    ]),
  };
}

function summary(reports: readonly LoadReport[]): Load['polyseek'] {
  const sum = (value: (report: LoadReport) => number) =>
    reports.reduce((all, report) => all + value(report), 0);
  return {
    perSecond: (sum(({ answers }) => answers) / sum(({ ms }) => ms)) * 1000,
    // The values of the median turn.
    p99: percentile(
      reports.map(({ p99 }) => p99),
      0.5,
    ),
    errors: sum(({ errors, refused }) => errors + refused),
  };
}

/** A running server. */
export interface Served {
  url: string;
  pid: number;
  stop: () => Promise<void>;
}

/** Starts `polyseek start` with an index. */
export function startPolyseek(index: string): Promise<Served> {
  const env = { ...process.env, PORT: '0', HOST: '127.0.0.1', INDEX_DIR: resolve(index) };
  const tsx = import.meta.resolve('tsx');
  return startServer([process.execPath, '--import', tsx, beside('../../cli/polyseek.ts'), 'start'], env);
}

/** Starts a server on the contestants' core. Resolves with its address once it can search. */
async function startServer(command: string[], env: NodeJS.ProcessEnv): Promise<Served> {
  const [program, ...args] = pinned(command);
  const child = spawn(program!, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill();
    await exited;
  };
  const lines = createInterface({ input: child.stdout });
  const url = await Promise.race([
    new Promise<string>((found) => {
      // Keep reading, so that the server's log never blocks it.
      lines.on('line', (line) => {
        const [, address] = /^Searching .*?at (http:\S+)$/.exec(line) ?? [];
        if (address) found(address);
      });
    }),
    exited.then(([code]): never => {
      throw new Error(`${command.join(' ')} ended with ${code} before it answered.`);
    }),
  ]);
  return { url, pid: child.pid!, stop };
}

/** Sends the load from a separate process, which inherits this process's cores. */
export async function load(options: object): Promise<LoadReport> {
  const args = ['--import', import.meta.resolve('tsx'), beside('children/load.ts'), JSON.stringify(options)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as LoadReport;
}
