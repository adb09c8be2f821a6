import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  buildCost,
  costTable,
  extrasTable,
  type Load,
  monthlyCost,
  openEndpointCost,
} from '../../infra/cost.ts';

const architecture = fc.constantFrom('x86_64' as const, 'arm64' as const);
const memoryMb = fc.integer({ min: 256, max: 10_240 });

describe('monthlyCost', () => {
  test('equals a calculation by hand for each part', () => {
    // 100,000 GB-seconds, 1.25 GiB of log, 1 GiB of answers and 3 metrics.
    const cost = monthlyCost({
      questions: 1e6,
      architecture: 'x86_64',
      memoryMb: 1024,
      durationMs: 100,
      coldShare: 0,
      answerBytes: 2 ** 30 / 1e6,
    });
    expect(cost.requests).toBeCloseTo(0.2, 10);
    expect(cost.compute).toBeCloseTo(1.66667, 10);
    expect(cost.api).toBeCloseTo(1, 10);
    expect(cost.logs).toBeCloseTo(0.5820766, 7);
    expect(cost.monitoring).toBeCloseTo(0.9, 10);
    expect(cost.transfer).toBeCloseTo(0.09, 10);
    expect(cost.total).toBeCloseTo(4.4387466, 7);
  });

  test("equals AWS's own example for Lambda, minus the free tier", () => {
    // https://aws.amazon.com/lambda/pricing/: 3 million requests of 120 ms with 1,536 MB cost $2.33 and $0.40.
    const load = { questions: 3e6, memoryMb: 1536, durationMs: 120, coldShare: 0 };
    const { compute, requests } = monthlyCost({ ...load, architecture: 'x86_64' });
    expect(compute - 400_000 * 0.0000166667).toBeCloseTo(2.33, 2);
    expect(requests - 0.2).toBeCloseTo(0.4, 10);
  });

  test('bills cold starts like other time, for the share of questions with a cold start', () => {
    const load: Load = {
      questions: 1e6,
      architecture: 'arm64',
      memoryMb: 2048,
      durationMs: 100,
      initMs: 900,
    };
    expect(monthlyCost({ ...load, coldShare: 1 }).compute).toBeCloseTo(26.6668, 8);
    expect(monthlyCost({ ...load, coldShare: 0.5 }).compute).toBeCloseTo(14.66674, 8);
    expect(monthlyCost({ ...load, coldShare: 0 }).compute).toBeCloseTo(2.66668, 8);
  });

  test('assumes proportionally longer work with less than one processor', () => {
    const compute = (memory: number) =>
      monthlyCost({ questions: 1e6, architecture: 'x86_64', memoryMb: memory }).compute;
    expect(compute(512)).toBeCloseTo(compute(1769), 10);
    expect(compute(3538)).toBeCloseTo(2 * compute(1769), 10);
  });

  test('includes only monitoring without questions', () => {
    expect(monthlyCost({ questions: 0, architecture: 'x86_64' }).total).toBeCloseTo(0.9, 10);
  });

  test('grows with questions and cold starts, and is lower on arm64', () => {
    const load = fc.record({
      questions: fc.integer({ min: 0, max: 1e9 }),
      memoryMb,
      coldShare: fc.double({ min: 0, max: 0.5, noNaN: true }),
    });
    fc.assert(
      fc.property(load, architecture, fc.integer({ min: 1, max: 1e9 }), (few, processor, more) => {
        const cost = monthlyCost({ ...few, architecture: processor });
        const parts = [cost.requests, cost.compute, cost.api, cost.logs, cost.monitoring, cost.transfer];
        expect(cost.total).toBeCloseTo(
          parts.reduce((sum, part) => sum + part, 0),
          6,
        );
        const many = { ...few, questions: few.questions + more, architecture: processor };
        expect(monthlyCost(many).total).toBeGreaterThan(cost.total);
        const colder = { ...many, coldShare: few.coldShare + 0.5 };
        expect(monthlyCost(colder).compute).toBeGreaterThan(monthlyCost(many).compute);
        expect(monthlyCost({ ...many, architecture: 'arm64' }).total).toBeLessThan(
          monthlyCost({ ...many, architecture: 'x86_64' }).total,
        );
      }),
    );
  });
});

describe('openEndpointCost', () => {
  const limits = {
    ratePerSecond: 1,
    reservedConcurrency: 1,
    memoryMb: 1769,
    architecture: 'x86_64',
  } as const;
  const fixed = (questions: number) =>
    monthlyCost({
      questions,
      architecture: 'x86_64',
      durationMs: 0,
      coldShare: 0,
      answerBytes: 475_000,
    }).total;

  test('is bounded by one instance that runs all month', () => {
    const seconds = 730 * 3600;
    const copy = seconds * (1769 / 1024) * 0.0000166667;
    expect(copy).toBeCloseTo(75.67, 2);
    expect(openEndpointCost(limits)).toBeCloseTo(fixed(seconds) + copy, 6);
    const tenfold = openEndpointCost({ ...limits, ratePerSecond: 10 });
    expect(tenfold).toBeCloseTo(fixed(10 * seconds) + copy, 6);
  });

  test('is bounded by the rate if instances are unlimited', () => {
    const seconds = 730 * 3600 * 1.3;
    const compute = seconds * (1769 / 1024) * 0.0000166667;
    const expected = fixed(730 * 3600) + compute;
    expect(openEndpointCost({ ...limits, reservedConcurrency: 'none' })).toBeCloseTo(expected, 6);
    expect(openEndpointCost({ ...limits, reservedConcurrency: 1000 })).toBeCloseTo(expected, 6);
  });

  test('never decreases with higher limits, and is at least the cost of ordinary questions at that rate', () => {
    const concurrency = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.constant('none' as const));
    const some = fc.record({
      ratePerSecond: fc.integer({ min: 1, max: 10_000 }),
      reservedConcurrency: concurrency,
      memoryMb,
      architecture,
    });
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 1000 }), (given, more) => {
        const cost = openEndpointCost(given);
        const { ratePerSecond, reservedConcurrency, ...rest } = given;
        expect(openEndpointCost({ ...given, ratePerSecond: ratePerSecond + more })).toBeGreaterThan(cost);
        const copies = reservedConcurrency === 'none' ? reservedConcurrency : reservedConcurrency + more;
        expect(openEndpointCost({ ...given, reservedConcurrency: copies })).toBeGreaterThanOrEqual(cost);
        expect(openEndpointCost({ ...given, reservedConcurrency: 'none' })).toBeGreaterThanOrEqual(cost);
        if (reservedConcurrency === 'none') {
          const questions = ratePerSecond * 730 * 3600;
          expect(cost).toBeGreaterThan(monthlyCost({ questions, ...rest }).total);
        }
      }),
    );
  });
});

describe('buildCost', () => {
  test('equals a calculation by hand: memory, and disk beyond 512 MB', () => {
    // 2.9375 GB of memory and 9.5 GB of disk for a minute.
    const disk = 9.5 * 60 * 0.0000000309;
    expect(buildCost(60, 3008, 'x86_64')).toBeCloseTo(2.9375 * 60 * 0.0000166667 + disk, 12);
    expect(buildCost(60, 1024, 'arm64')).toBeCloseTo(60 * 0.0000133334 + disk, 12);
  });
});

describe('costTable', () => {
  test('has equal numbers of columns, and costs that grow from left to right', () => {
    const rows = costTable()
      .split('\n')
      .map((row) => row.split('|').slice(1, -1));
    expect(rows.map((cells) => cells.length)).toEqual(rows.map(() => 4));
    for (const [name, ...cells] of rows.slice(2)) {
      const costs = cells.map((cell) => Number(cell.replace(/^ (from )?\$|,/g, '')));
      expect(costs, name).toEqual([...costs].sort((a, b) => a - b));
      expect(costs[0], name).toBeGreaterThan(0);
    }
  });
});

test('extrasTable equals a calculation by hand', () => {
  const costs = extrasTable()
    .split('\n')
    .slice(2)
    .map((row) => row.split(' | ')[1]);
  // 5 reads of a queue every 20 seconds; a web ACL for $5 and its rule for $1; 730 hours of a NAT gateway.
  expect(costs).toEqual(['$3.00', '$0.40; with `documents` $0.80', '$0.26', '$6.00', '$32.85']);
});
