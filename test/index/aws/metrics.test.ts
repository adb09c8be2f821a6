import { expect, test } from 'vitest';
import { withMetrics } from '../../../index/aws/metrics.ts';

test('metrics are in the embedded format, and an entry without metrics stays as it is', () => {
  const entry = { message: 'The build ends.' };
  expect(withMetrics(entry, 'docs', {}, 5)).toBe(entry);
  expect(withMetrics(entry, 'docs', { BuildSeconds: { unit: 'Seconds', value: 7 } }, 5)).toEqual({
    message: 'The build ends.',
    function: 'docs',
    BuildSeconds: 7,
    _aws: {
      Timestamp: 5,
      CloudWatchMetrics: [
        {
          Namespace: 'polyseek',
          Dimensions: [['function']],
          Metrics: [{ Name: 'BuildSeconds', Unit: 'Seconds' }],
        },
      ],
    },
  });
});
