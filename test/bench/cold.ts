import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';

/** One cold start: milliseconds from spawning Node to the first answer, and the process's peak memory in MB. */
export interface ColdStart {
  ms: number;
  rssMb: number;
}

/** Imports a function, asks it one question, and reports. Runs in a fresh Node that knows nothing of this project. */
const CHILD = `
const [url, event] = JSON.parse(process.argv[1]);
const { handler } = await import(url);
const { statusCode, body } = await handler(event, {});
if (statusCode !== 200 || JSON.parse(body).results.length === 0) throw new Error('No answer: ' + body);
const answered = Date.now();
// The kernel's high-water mark of this program; resourceUsage would count the memory of the process it was forked from.
const { readFileSync } = await import('node:fs');
const rssKb = Number(/VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
process.stderr.write(JSON.stringify({ answered, rssKb }));
`;

/** Imports a module and waits for what its `run` does; reports how long both took, Node's own start left out. */
const TIMED_CHILD = `
const started = performance.now();
const [url, folder] = JSON.parse(process.argv[1]);
const { run } = await import(url);
await run(folder);
process.stderr.write(String(performance.now() - started));
`;

/** Milliseconds that a fresh Node on one core takes to import a module and run it on a folder. Linux only. */
export function timedRun(file: string, folder: string): number {
  return Number(onOneCore(TIMED_CHILD, JSON.stringify([pathToFileURL(file).href, folder])));
}

/** Starts a packaged function cold on one core, as Lambda's default size has, and asks it a question. Linux only. */
export function coldStart(functionFile: string, question: string): ColdStart {
  const argument = JSON.stringify([pathToFileURL(functionFile).href, httpEvent(question)]);
  const spawned = Date.now();
  const { answered, rssKb } = JSON.parse(onOneCore(CHILD, argument)) as { answered: number; rssKb: number };
  return { ms: answered - spawned, rssMb: rssKb / 1024 };
}

/** What a fresh Node on one core that runs this code prints on standard error. */
function onOneCore(code: string, argument: string): string {
  const args = ['-c', '0', process.execPath, '--input-type=module', '-e', code, argument];
  const { stderr, status } = spawnSync('taskset', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`A run for ${argument} failed: ${stderr}`);
  return stderr;
}

function httpEvent(question: string): unknown {
  const rawQueryString = new URLSearchParams({ q: question }).toString();
  const http = {
    method: 'GET',
    path: '/search',
    protocol: 'HTTP/1.1',
    sourceIp: '127.0.0.1',
    userAgent: 'bench',
  };
  return {
    version: '2.0',
    rawPath: '/search',
    rawQueryString,
    queryStringParameters: { q: question },
    headers: { host: 'localhost' },
    requestContext: { stage: '$default', domainName: 'localhost', http },
    isBase64Encoded: false,
  };
}
