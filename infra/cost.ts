import { THROTTLE } from '../functions/deployed/settings.ts';
import type { Architecture } from '../index/engine/architecture.ts';
import { HOURS_A_MONTH, PRICES } from './prices.ts';

/** Cost of a question, measured with 1,000 passages on one core of an Intel Xeon (shared machine), 2026-11-24. */
const MEASURED = {
  /** A question of 12 tokens takes 3 ms. The rest covers Lambda's overhead and slower processors. */
  warmMs: 8,
  /** From the start of the process to the first answer, measured by `npm run bench`. */
  initMs: 120,
  /** An answer with 10 passages. */
  answerBytes: 6_200,
  /** One log line of the function, two of Lambda and one of the HTTP API, each with CloudWatch's 26 extra bytes. */
  logBytes: 1_250,
  /** A question of 2,000 Chinese characters, with 100 passages, 5 neighbours on each side and the parts of each score. */
  longest: { ms: 1_300, answerBytes: 475_000 },
};

/** Memory that brings one virtual processor. The figures above assume one. */
const ONE_PROCESSOR_MB = 1769;

/** Metrics of an endpoint: ColdStart, Possible and Unanswered. */
const METRICS = 3;
/** With `alarmEmail`: alarms of an endpoint (errors, throttles, duration and 5xx), and those that `documents` adds. */
const ALARMS = { endpoint: 4, builder: 4 };
/** Lambda reads a queue with five pollers, each of which waits up to 20 seconds for messages. */
const QUEUE_READS = (5 * HOURS_A_MONTH * 3600) / 20;

/** Dollars per month, by part. */
export interface Cost {
  requests: number;
  compute: number;
  api: number;
  logs: number;
  /** Metrics: a fixed cost. */
  monitoring: number;
  /** Answers sent to the internet. */
  transfer: number;
  total: number;
}

export interface Load {
  /** Questions per month. */
  questions: number;
  architecture: Architecture;
  memoryMb?: number;
  /** Milliseconds billed per question. */
  durationMs?: number;
  /** Share of questions that cause a cold start, 0 to 1. AWS sees under 1 % in production: https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/. */
  coldShare?: number;
  /** Milliseconds billed per cold start. */
  initMs?: number;
  answerBytes?: number;
}

/** Monthly cost of the stack, without free tiers. */
export function monthlyCost({
  questions,
  architecture,
  memoryMb = ONE_PROCESSOR_MB,
  durationMs = scaled(MEASURED.warmMs, memoryMb),
  coldShare = 0.01,
  initMs = scaled(MEASURED.initMs, memoryMb),
  answerBytes = MEASURED.answerBytes,
}: Load): Cost {
  const { lambda, httpApiRequest, cloudWatch } = PRICES;
  const seconds = (durationMs + coldShare * initMs) / 1000;
  const parts = {
    requests: questions * lambda.request,
    compute: questions * seconds * (memoryMb / 1024) * lambda.gigabyteSecond[architecture],
    api: questions * httpApiRequest,
    logs: gigabytes(questions * MEASURED.logBytes) * cloudWatch.logGigabyte,
    monitoring: METRICS * cloudWatch.metric,
    transfer: transferCost(questions, answerBytes),
  };
  return { ...parts, total: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}

/**
 * Maximum monthly cost of questions to an open endpoint, in dollars: the longest questions with the largest answers, at the throttle's limit all
 * month. Not included: requests padded to 10 MB, which the HTTP API bills as 20 requests, and the log lines of throttled requests.
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
  const instances = reservedConcurrency === 'none' ? Number.POSITIVE_INFINITY : reservedConcurrency;
  return monthlyCost({
    questions: ratePerSecond * HOURS_A_MONTH * 3600,
    architecture,
    memoryMb,
    // The number of instances limits the seconds billed per second.
    durationMs: Math.min(scaled(MEASURED.longest.ms, memoryMb), (instances / ratePerSecond) * 1000),
    // Under constant load, no instance stops.
    coldShare: 0,
    answerBytes: MEASURED.longest.answerBytes,
  }).total;
}

/** Monthly cost of instances that are always started, in dollars. Their requests cost extra, but less than others. */
export function provisionedCost(instances: number, memoryMb: number, architecture: Architecture): number {
  const seconds = instances * HOURS_A_MONTH * 3600;
  return seconds * (memoryMb / 1024) * PRICES.lambda.provisionedGigabyteSecond[architecture];
}

/** Disk of the builder in MB, of which 512 MB are free. */
export const BUILDER_DISK_MB = 10_240;

/** Cost of running the builder, in dollars. */
export function buildCost(seconds: number, memoryMb: number, architecture: Architecture): number {
  const { gigabyteSecond, diskGigabyteSecond } = PRICES.lambda;
  const disk = ((BUILDER_DISK_MB - 512) / 1024) * diskGigabyteSecond;
  return seconds * ((memoryMb / 1024) * gigabyteSecond[architecture] + disk);
}

/** Volumes of the table. The fewer the questions, the larger the share of cold starts: half at one question every four minutes. */
const VOLUMES = [
  { name: '10 thousand', questions: 1e4, coldShare: 0.5 },
  { name: '1 million', questions: 1e6, coldShare: 0.01 },
  { name: '100 million', questions: 1e8, coldShare: 0.001 },
];

/** Table of monthly costs for docs/operating.md, in Markdown. "from": the smallest size is too small for 100 million questions. */
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

/** Table of what some settings cost a month without any question, for docs/operating.md, in Markdown. */
export function extrasTable(): string {
  const { cloudWatch, sqsRequest, waf, nat } = PRICES;
  const alarms = (count: number) => dollars(count * cloudWatch.alarm);
  const rows = [
    ['in addition', 'a month', 'more'],
    ['---', '---', '---'],
    ['`dashboard`', dollars(cloudWatch.dashboard), 'three a month are free in an account'],
    [
      '`alarmEmail`',
      `${alarms(ALARMS.endpoint)}; with \`documents\` ${alarms(ALARMS.endpoint + ALARMS.builder)}`,
      'ten alarms are free in an account',
    ],
    [
      '`documents`: Lambda reads the queue',
      dollars(QUEUE_READS * sqsRequest),
      'a million requests a month are free in an account',
    ],
    [
      '`webAclArn`, with one rule',
      dollars(waf.webAcl + waf.rule),
      `${dollars(waf.rule)} a rule, ${dollars(waf.request * 1e6)} a million requests`,
    ],
    ['a NAT gateway, such as for `jwt` in a VPC', dollars(nat.hour * HOURS_A_MONTH), `$${nat.gigabyte} a GB`],
  ];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** An HTTP API bills a request by its parts of 512 KB. The largest one has 10 MB. */
const PARTS_OF_LARGEST = 20;

/** Table of what an attack costs at the default throttle, for docs/security.md, in Markdown: the most that each can cost. */
export function attackTable(): string {
  const { open, closed } = THROTTLE;
  const [memoryMb, architecture] = [ONE_PROCESSOR_MB, 'x86_64'] as const;
  const { monitoring } = monthlyCost({ questions: 0, architecture });
  const refused = (rate: number) =>
    monthlyCost({ questions: rate * HOURS_A_MONTH * 3600, architecture, coldShare: 0, answerBytes: 0 }).total;
  const longest = (ratePerSecond: number, reservedConcurrency: number | 'none') =>
    openEndpointCost({ ratePerSecond, reservedConcurrency, memoryMb, architecture });
  const padding = (rate: number) =>
    (PARTS_OF_LARGEST - 1) * PRICES.httpApiRequest * rate * HOURS_A_MONTH * 3600 + monitoring;
  const all = closed.rate + closed.browserRate;
  const rows: [string, number][] = [
    [`requests without a key, refused (${all} a second)`, refused(all)],
    [
      `the longest questions with a stolen key (${closed.rate} a second)`,
      longest(closed.rate, closed.instances),
    ],
    [
      `the longest questions with a browser key (${closed.browserRate} a second)`,
      longest(closed.browserRate, closed.instances),
    ],
    [
      `the longest questions with \`auth: none\` (${open.rate + open.browserRate} a second, ${open.instances} instances)`,
      longest(open.rate + open.browserRate, open.instances),
    ],
    [`in addition, if each of ${all} requests a second has 10 MB`, padding(all)],
  ];
  const cells = rows.map(([name, monthly]) => {
    const hour = (monthly - monitoring) / HOURS_A_MONTH;
    return `| ${name} | ${dollars(hour)} | ${dollars(24 * hour)} |`;
  });
  return ['| attack | an hour | a day |', '| --- | --- | --- |', ...cells].join('\n');
}

function transferCost(questions: number, answerBytes = MEASURED.answerBytes): number {
  return gigabytes(questions * answerBytes) * PRICES.transferGigabyte;
}

/** Less than one processor slows the work down; more than one does not speed it up. */
function scaled(ms: number, memoryMb: number): number {
  return ms * Math.max(1, ONE_PROCESSOR_MB / memoryMb);
}

/** AWS bills gigabytes of 1,073,741,824 bytes. */
function gigabytes(bytes: number): number {
  return bytes / 2 ** 30;
}

/** An amount as text. */
export function dollars(amount: number): string {
  return amount < 100 ? `$${amount.toFixed(2)}` : `$${Math.round(amount).toLocaleString('en')}`;
}
