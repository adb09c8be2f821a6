import { expect, test } from 'vitest';
import type { App, HttpRequest } from '../../../functions/search/http.ts';
import { withQueue } from '../../../functions/search/listener.ts';
import { addressOf } from './ask.ts';

const request = (requestId: string): HttpRequest => ({
  method: 'GET',
  ...addressOf('http://localhost/search?q=a'),
  headers: {},
  body: [],
  requestId,
});

test('requests start one after the other, in order, without waiting for answers', async () => {
  const started: string[] = [];
  const answers = new Map<string, () => void>();
  const app: App = ({ requestId }) => {
    started.push(requestId);
    return new Promise((resolve) =>
      answers.set(requestId, () => resolve({ status: 200, headers: {}, body: requestId })),
    );
  };
  const queued = withQueue(app);
  const all = ['a', 'b', 'c'].map((id) => queued(request(id)));
  expect(started).toEqual([]);
  await expect.poll(() => started).toEqual(['a', 'b', 'c']);
  for (const id of ['c', 'a', 'b']) answers.get(id)!();
  expect((await Promise.all(all)).map(({ body }) => body)).toEqual(['a', 'b', 'c']);
});

test('more requests than may wait are refused at once, and later ones are answered', async () => {
  const app: App = async () => ({ status: 200, headers: {}, body: '' });
  const queued = withQueue(app, 3);
  const answers = await Promise.all(Array.from({ length: 5 }, (_, i) => queued(request(`r${i}`))));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 503, 503]);
  const { headers, body } = answers[4]!;
  expect(headers).toMatchObject({
    'content-type': 'application/problem+json; charset=utf-8',
    'retry-after': '1',
    'x-request-id': 'r4',
  });
  expect(JSON.parse(body)).toEqual({
    type: 'about:blank',
    title: 'Service Unavailable',
    status: 503,
    detail: 'Too many questions wait for an answer. Try again in a second.',
    requestId: 'r4',
  });
  expect((await queued(request('later'))).status).toBe(200);
});

test('a failure of one request does not stop the others', async () => {
  const app: App = async ({ requestId }) => {
    if (requestId === 'bad') throw new Error('broken');
    return { status: 200, headers: {}, body: '' };
  };
  const queued = withQueue(app);
  const [bad, good] = await Promise.allSettled([queued(request('bad')), queued(request('good'))]);
  expect(bad.status).toBe('rejected');
  expect(good.status).toBe('fulfilled');
});
