import { expect, test } from 'vitest';
import { questionsIn } from '../../../functions/deployed/questions.ts';

const entry = (fields: object) => JSON.stringify({ timestamp: '2026-12-01T08:00:00.000Z', ...fields });

test('reads unanswered questions and feedback, in each form of a log', async () => {
  const lines = [
    entry({ q: 'a', verdict: 'none' }),
    `2026-12-01T08:00:00 2026/12/01/[7]ab ${entry({ q: 'b', verdict: 'possible', results: 3 })}`,
    entry({ q: 'c', verdict: 'answered' }),
    entry({ q: 'd', helpful: false }),
    entry({ q: 'e', status: 500, error: 'Error: {' }),
    'START RequestId: 1 Version: $LATEST',
    '{"q": "cut',
    'null',
    '',
  ];
  expect(await questionsIn(lines, 0, undefined)).toEqual([
    { q: 'a', verdict: 'none' },
    { q: 'b', verdict: 'possible' },
    { q: 'd', helpful: false },
  ]);
});

test('reads one collection, from a time on', async () => {
  const lines = [
    entry({ q: 'a', verdict: 'none', collection: 'hr' }),
    entry({ q: 'b', verdict: 'none' }),
    entry({ q: 'old', verdict: 'none', timestamp: '2026-11-30T23:59:59Z' }),
    entry({ q: 'no time', verdict: 'none', timestamp: 7 }),
  ];
  const since = Date.parse('2026-12-01');
  expect(await questionsIn(lines, since, undefined)).toEqual([{ q: 'b', verdict: 'none' }]);
  expect(await questionsIn(lines, since, 'hr')).toEqual([{ q: 'a', verdict: 'none' }]);
});

test('says what to set if the log has no text of questions', async () => {
  const lines = [entry({ verdict: 'none' })];
  await expect(questionsIn(lines, 0, undefined)).rejects.toThrow(
    'The log contains no text of questions. Set "logQuestions": true in cdk.json and deploy, or start with --log-questions.',
  );
  expect(await questionsIn([entry({ verdict: 'answered' })], 0, undefined)).toEqual([]);
});
