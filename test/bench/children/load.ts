// Sends questions to a server as fast as it answers, over a number of connections, and reports the results.
import { Agent, get } from 'node:http';
import { questionMaker } from '../corpus.ts';
import { preparedModel } from '../prepare.ts';
import type { LoadReport } from '../server.ts';
import { percentile } from '../stats.ts';

const { url, connections, ms, tokens, seed } = JSON.parse(process.argv[2]!) as {
  url: string;
  connections: number;
  ms: number;
  tokens: number;
  seed: number;
};
const question = await questionMaker(preparedModel().countTokens, seed);
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const times: number[] = [];
let errors = 0;

/** Whether the server answered with results. */
function ask(): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      `${url}/search?${new URLSearchParams({ q: question(tokens) })}`,
      { agent },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve(response.statusCode === 200 && body.includes('"results":[{')));
        response.on('error', () => resolve(false));
      },
    );
    request.on('error', () => resolve(false));
  });
}

const end = performance.now() + ms;
async function connection(): Promise<void> {
  while (performance.now() < end) {
    const start = performance.now();
    if (await ask()) times.push(performance.now() - start);
    else errors++;
  }
}
const start = performance.now();
await Promise.all(Array.from({ length: connections }, connection));
const report: LoadReport = {
  answers: times.length,
  errors,
  ms: performance.now() - start,
  p99: times.length > 0 ? percentile(times, 0.99) : 0,
};
process.stdout.write(JSON.stringify(report));
agent.destroy();
