import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultModel, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { startServer } from '../fixtures/processes.ts';

// `npm run bench -- load --seconds 600` is the long run.
let server: Awaited<ReturnType<typeof startServer>>;

beforeAll(async () => {
  const index = join(temporaryFolder(), 'index');
  writeRandomIndex(index, 2000, defaultModel());
  server = await startServer(index);
});
afterAll(() => server.stop());

/**
 * Asks a question that was not asked before.
 * @param sent called when the question is on its way
 */
function ask(
  question: number,
  agent: Agent,
  sent?: () => void,
): Promise<{ status: number; retryAfter: string | undefined }> {
  return new Promise((resolve, reject) => {
    const request = get(`${server.url}/search?q=word${question}`, { agent }, (response) => {
      const { statusCode = 0, headers } = response;
      response.resume().on('end', () => resolve({ status: statusCode, retryAfter: headers['retry-after'] }));
    }).on('error', reject);
    if (sent) request.once('socket', (socket) => socket.once('connect', sent));
  });
}

test('64 connections get an answer to each question', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => ask(i, agent)));
  agent.destroy();
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
});

test('of more questions than it can answer, some are refused, and the next one is answered', async () => {
  const agent = new Agent({ maxSockets: 500 });
  server.signal('SIGSTOP');
  const asked: ReturnType<typeof ask>[] = [];
  await Promise.all(
    Array.from(
      { length: 500 },
      (_, i) => new Promise<void>((sent) => asked.push(ask(1000 + i, agent, sent))),
    ),
  );
  // All questions wait for the server when it goes on.
  server.signal('SIGCONT');
  const answers = await Promise.all(asked);
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length).toBeLessThan(answers.length);
  for (const answer of refused) expect(answer).toEqual({ status: 503, retryAfter: '1' });
  expect((await ask(5000, new Agent())).status).toBe(200);
});

test('beside half-open connections, others are answered, and the server closes the half-open ones', async () => {
  const { hostname, port } = new URL(server.url);
  const sockets: Socket[] = Array.from({ length: 300 }, () =>
    connect(Number(port), hostname, function (this: Socket) {
      this.write('GET /search?q=half HTTP/1.1\r\nHost: localhost\r\nX-');
    }).on('error', () => {}),
  );
  const closed = Promise.all(
    sockets.map((socket) => new Promise((resolve) => socket.resume().on('close', resolve))),
  );
  for (let i = 0; i < 20; i++) expect((await ask(6000 + i, new Agent())).status).toBe(200);
  expect(sockets.filter(({ destroyed }) => !destroyed).length).toBe(sockets.length);
  await closed;
});
