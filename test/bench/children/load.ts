// Sends questions to a server, over a number of connections, and reports the results: as fast as it answers, or so many a second.
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { questionMaker } from '../corpus.ts';
import { preparedModel } from '../prepare.ts';
import type { LoadReport } from '../server.ts';
import { percentile } from '../stats.ts';

const { url, connections, ms, tokens, seed, rate } = JSON.parse(process.argv[2]!) as {
  url: string;
  connections: number;
  ms: number;
  tokens: number;
  seed: number;
  /** Questions a second, whether they are answered or not. */
  rate?: number;
};
const question = await questionMaker(preparedModel().countTokens, seed);
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const times: number[] = [];
let [errors, refused] = [0, 0];

/** What came of a question: results, an answer 503 with the time to wait, or anything else. */
type Outcome = 'answered' | 'refused' | 'failed';

function ask(): Promise<Outcome> {
  return new Promise((resolve) => {
    const request = get(
      `${url}/search?${new URLSearchParams({ q: question(tokens) })}`,
      { agent },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => {
          if (response.statusCode === 200 && body.includes('"results":[{')) resolve('answered');
          else resolve(response.statusCode === 503 && response.headers['retry-after'] ? 'refused' : 'failed');
        });
        response.on('error', () => resolve('failed'));
      },
    );
    request.on('error', () => resolve('failed'));
  });
}

async function once(): Promise<void> {
  const start = performance.now();
  const outcome = await ask();
  if (outcome === 'answered') times.push(performance.now() - start);
  else if (outcome === 'refused') refused++;
  else errors++;
}

const end = performance.now() + ms;
async function connection(): Promise<void> {
  while (performance.now() < end) await once();
}

/** Sends at a rate, in steps of some milliseconds. */
async function atRate(perSecond: number): Promise<void> {
  const asked: Promise<void>[] = [];
  while (performance.now() < end) {
    const due = ((performance.now() - start) / 1000) * perSecond;
    while (asked.length < due) asked.push(once());
    await sleep(5);
  }
  await Promise.all(asked);
}

const start = performance.now();
if (rate) await atRate(rate);
else await Promise.all(Array.from({ length: connections }, connection));
const report: LoadReport = {
  answers: times.length,
  errors,
  refused,
  ms: performance.now() - start,
  p50: times.length > 0 ? percentile(times, 0.5) : 0,
  p99: times.length > 0 ? percentile(times, 0.99) : 0,
};
process.stdout.write(JSON.stringify(report));
agent.destroy();
