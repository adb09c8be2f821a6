import { expect, test } from 'vitest';
import { isBuildId, newBuildId } from '../../../functions/builder/builds.ts';
import { readEvent } from '../../../functions/builder/event.ts';

const batch = (...bodies: string[]) => ({
  Records: bodies.map((body, i) => ({ messageId: `m${i}`, body, attributes: {} })),
});
const from = (source: string) => JSON.stringify({ source, detail: {} });

test('the cause of a batch is the most important of its events', () => {
  const causeOf = (...bodies: string[]) => readEvent(batch(...bodies)).cause;
  expect(causeOf(from('aws.s3'))).toBe('events');
  expect(causeOf(from('aws.scheduler'))).toBe('schedule');
  expect(causeOf(from('aws.events'), from('aws.cloudformation'))).toBe('deploy');
  expect(causeOf(from('aws.events'), from('aws.cloudformation'), from('aws.s3'))).toBe('events');
  for (const body of ['', '{', 'null', '"aws.events"', '{"source": 1}']) expect(causeOf(body)).toBe('events');
});

test('a batch starts a build of its own, and knows its messages', () => {
  const { id, kind, messages } = readEvent(batch(from('aws.s3'), from('aws.s3')));
  expect(isBuildId(id)).toBe(true);
  expect({ kind, messages }).toEqual({ kind: 'batch', messages: ['m0', 'm1'] });
});

test('requests and continuations name their build', () => {
  const id = newBuildId();
  expect(readEvent({ build: id })).toEqual({ id, cause: 'request', kind: 'request', messages: [] });
  expect(readEvent({ build: id, cause: 'events' })).toMatchObject({ cause: 'events' });
  expect(readEvent({ continue: id })).toMatchObject({ id, kind: 'continuation' });
});

test('ids of builds sort by time', () => {
  const ids = [0, 1, 999, 1000, 1e12].map((time) => newBuildId(new Date(time)));
  expect(ids.toSorted()).toEqual(ids);
  expect(ids[4]).toMatch(/^20010909T014640000Z-[0-9a-f]{4}$/);
});
