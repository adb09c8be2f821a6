import type { Architecture } from '../index/engine/architecture.ts';
import { HOURS_A_MONTH, PRICES } from './prices.ts';

/** What a question takes, measured with 1,000 passages on one core of an Intel Xeon (shared machine), 2026-11-24. */
const MEASURED = {
  /** A question of 12 tokens takes 3 ms; the rest is for Lambda's own and for slower processors. */
  warmMs: 8,
  /** From the start of the process to the first answer, by `npm run bench`. */
  initMs: 120,
  /** The answer with 10 passages. */
  answerBytes: 6_200,
  /** A line of the function, two of Lambda and one of the HTTP API, with the 26 bytes that CloudWatch adds to each. */
  logBytes: 1_250,
  /** A question of 2,000 Chinese characters, with 100 passages, 5 neighbours on each side and the parts of each score. */
  longest: { ms: 1_300, answerBytes: 475_000 },
};

/** Memory that brings one virtual processor, with which the figures above hold. */
const ONE_PROCESSOR_MB = 1769;

/** What the stack has: ColdStart and Unanswered; errors, throttles, duration and 5xx. */
const WATCHED = { metrics: 2, alarms: 4, dashboards: 1 };

/** Dollars a month, by part. */
export interface Cost {
  requests: number;
  compute: number;
  api: number;
  logs: number;
  /** Metrics, alarms and dashboard, which cost the same however few the questions. */
  watching: number;
  /** Answers to the internet. */
  transfer: number;
  total: number;
}

export interface Load {
  /** How many a month. */
  questions: number;
  architecture: Architecture;
  memoryMb?: number;
  /** Milliseconds billed for a question. */
  durationMs?: number;
  /** Share of questions that find no running copy of the function, 0 to 1. AWS sees under 1 % in production: https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/. */
  coldShare?: number;
  /** Milliseconds billed for the start of a copy. */
  initMs?: number;
  answerBytes?: number;
}

/** What the stack costs a month, free tiers left out. */
export function monthlyCost({
  questions,
  architecture,
  memoryMb = ONE_PROCESSOR_MB,
  durationMs = stretched(MEASURED.warmMs, memoryMb),
  coldShare = 0.01,
  initMs = stretched(MEASURED.initMs, memoryMb),
  answerBytes = MEASURED.answerBytes,
}: Load): Cost {
  const { lambda, httpApiRequest, cloudWatch } = PRICES;
  const seconds = (durationMs + coldShare * initMs) / 1000;
  const parts = {
    requests: questions * lambda.request,
    compute: questions * seconds * (memoryMb / 1024) * lambda.gigabyteSecond[architecture],
    api: questions * httpApiRequest,
    logs: gigabytes(questions * MEASURED.logBytes) * cloudWatch.logGigabyte,
    watching:
      WATCHED.metrics * cloudWatch.metric +
      WATCHED.alarms * cloudWatch.alarm +
      WATCHED.dashboards * cloudWatch.dashboard,
    transfer: transferCost(questions, answerBytes),
  };
  return { ...parts, total: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}

/**
 * The most that questions to an open endpoint cost in a month, in dollars: the longest ones, with the largest answers, without pause, as many as
 * the throttle lets through. Requests that are no questions but padded to 10 MB would count 20 times at the HTTP API, and each refused one leaves a
 * line in its log.
 */
export function openEndpointCost({
  ratePerSecond,
  reservedConcurrency,
  memoryMb,
  architecture,
}: {
  ratePerSecond: number;
  reservedConcurrency: number | 'none';
  memoryMb: number;
  architecture: Architecture;
}): number {
  const copies = reservedConcurrency === 'none' ? Number.POSITIVE_INFINITY : reservedConcurrency;
  return monthlyCost({
    questions: ratePerSecond * HOURS_A_MONTH * 3600,
    architecture,
    memoryMb,
    // As many copies as may run at once bound the seconds billed in a second.
    durationMs: Math.min(stretched(MEASURED.longest.ms, memoryMb), (copies / ratePerSecond) * 1000),
    // Without a pause no copy ends.
    coldShare: 0,
    answerBytes: MEASURED.longest.answerBytes,
  }).total;
}

/** Volumes of the table; the fewer the questions, the more of them find no running copy: half of those that come every four minutes. */
const VOLUMES = [
  { name: '10 thousand', questions: 1e4, coldShare: 0.5 },
  { name: '1 million', questions: 1e6, coldShare: 0.01 },
  { name: '100 million', questions: 1e8, coldShare: 0.001 },
];

/** The table of monthly costs in docs/operating.md, in Markdown. "from": the smallest size would not carry 100 million. */
export function costTable(): string {
  const polyseek = (architecture: Architecture) =>
    VOLUMES.map((volume) => dollars(monthlyCost({ ...volume, architecture }).total));
  const fixed = (monthly: number) =>
    VOLUMES.map(
      ({ questions }) => (questions > 1e6 ? 'from ' : '') + dollars(monthly + transferCost(questions)),
    );
  const openSearch = (units: number) => fixed(units * HOURS_A_MONTH * PRICES.openSearchUnitHour);
  const { hour, addressHour, diskMonth } = PRICES.server;
  const rows = [
    ['questions a month', ...VOLUMES.map(({ name }) => name)],
    ['---', ...VOLUMES.map(() => '---')],
    ['polyseek on x86_64', ...polyseek('x86_64')],
    ['polyseek on arm64', ...polyseek('arm64')],
    ['OpenSearch Serverless, 2 units (its minimum with a standby)', ...openSearch(2)],
    ['OpenSearch Serverless, 1 unit (its minimum for development)', ...openSearch(1)],
    ['a t3.small server, always on', ...fixed((hour + addressHour) * HOURS_A_MONTH + diskMonth)],
  ];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function transferCost(questions: number, answerBytes = MEASURED.answerBytes): number {
  return gigabytes(questions * answerBytes) * PRICES.transferGigabyte;
}

/** With less than one processor the same work takes longer; more than one does not shorten it. */
function stretched(ms: number, memoryMb: number): number {
  return ms * Math.max(1, ONE_PROCESSOR_MB / memoryMb);
}

/** As AWS bills them: of 1,073,741,824 bytes. */
function gigabytes(bytes: number): number {
  return bytes / 2 ** 30;
}

function dollars(amount: number): string {
  return amount < 100 ? `$${amount.toFixed(2)}` : `$${Math.round(amount).toLocaleString('en')}`;
}
