import { dollars, monthlyCost, provisionedCost } from './cost.ts';
import { HOURS_A_MONTH, PRICES } from './prices.ts';

/** What docs/scaling.md computes with. docs/benchmarks.md says how each figure was measured. */
const MEASURED = {
  /** Bytes of a passage in S3 Vectors: a vector of 384 numbers, the key, filterable metadata, and the row in Base64. */
  vector: { numbers: 1536, key: 13, filterable: 293, row: 8_542 },
  /** Bytes of a passage in the lists of its segment, which are objects in S3. */
  listBytes: 220,
  /** Seconds of one processor to embed a passage with its sentences, and to compress its tokens. */
  embeddingSeconds: 0.05,
  /**
   * Terms of an English question, bytes of their lists for each passage of the index, and the share of questions whose words find rows
   * that the vectors did not.
   */
  question: { terms: 13.4, listBytesPerPassage: 3, rowsShare: 0.07 },
};

/** Memory that brings one virtual processor. */
const PROCESSOR_MB = 1769;
/** What a search takes of a passage: rows of the nearest ones, and of those that only words find. */
const NEAREST = 100;
/** Reads for each term and segment: a slot of the table, the record, and the rest of a long list. */
const READS_PER_TERM = 2.5;
/** Milliseconds that the function waits for S3 Vectors and S3: two queries after each other, or longer for long lists. */
const WAITING_MS = 250;
/** Bytes a second that one function reads from S3. */
const READ_RATE = 75e6;

/** The largest Lambda function has 6 processors, and runs for 15 minutes. */
const BUILDER = { processors: 10_240 / PROCESSOR_MB, seconds: 900 };
/** Vectors a second that an index accepts. */
const PUT_RATE = 2500;
const MILLION = 1e6;

/** Costs in dollars, and times, of an index in S3 Vectors. */
export interface Scaling {
  gigabytes: number;
  /** Hours of one processor to embed all passages. */
  processorHours: number;
  /** Runs of the largest builder that embed all passages, one after the other. */
  builderRuns: number;
  uploadHours: number;
  /** Paid once. */
  once: { embedding: number; upload: number };
  /** A month. */
  storage: number;
  /** The lists that a question reads. */
  lists: { megabytes: number; ms: number };
  /** A million questions, without endpoint, log and transfer. */
  questions: Record<'queries' | 'processed' | 'returned' | 'lists' | 'rows' | 'function', number>;
}

/** Computes costs and times of an index of one segment in S3 Vectors. */
export function scaling(passages: number): Scaling {
  const { vector, listBytes, embeddingSeconds, question } = MEASURED;
  const { s3Vectors, s3, lambda } = PRICES;
  const searched = vector.numbers + vector.key + vector.filterable;
  const gigabytes = inGigabytes(passages * (searched + vector.row));
  const seconds = passages * embeddingSeconds;
  const returned = NEAREST * (vector.key + vector.filterable + vector.row) - s3Vectors.freeReturned;
  const listed = passages * question.listBytesPerPassage;
  const listMs = (listed / READ_RATE) * 1000;
  return {
    gigabytes,
    processorHours: seconds / 3600,
    builderRuns: Math.ceil(seconds / (BUILDER.processors * BUILDER.seconds)),
    uploadHours: passages / PUT_RATE / 3600,
    once: {
      embedding: seconds * (PROCESSOR_MB / 1024) * lambda.gigabyteSecond.x86_64,
      upload: gigabytes * s3Vectors.putGigabyte,
    },
    storage:
      gigabytes * s3Vectors.storageGigabyteMonth +
      inGigabytes(passages * listBytes) * s3.storageGigabyteMonth,
    lists: { megabytes: listed / 1e6, ms: listMs },
    questions: {
      queries: MILLION * s3Vectors.query,
      processed: MILLION * processedCost(passages, searched),
      returned: inGigabytes(MILLION * Math.max(0, returned)) * s3Vectors.returnedGigabyte,
      lists: MILLION * question.terms * READS_PER_TERM * s3.get,
      rows: MILLION * question.rowsShare * s3Vectors.get,
      function: functionCost(Math.max(WAITING_MS, listMs)),
    },
  };
}

/** Dollars for the vectors that one query processes: all of the index, in tiers. */
export function processedCost(passages: number, bytes: number): number {
  let dollars = 0;
  let from = 0;
  for (const { upTo, price } of PRICES.s3Vectors.processedTerabyte) {
    const vectors = Math.max(0, Math.min(passages, upTo) - from);
    dollars += ((vectors * bytes) / 2 ** 40) * price;
    from = upTo;
  }
  return dollars;
}

const SIZES = { '1 million': 1e6, '10 million': 1e7, '1 billion': 1e9 };

/** Table of sizes for docs/scaling.md, in Markdown. */
export function scalingTable(): string {
  const sizes = Object.values(SIZES).map(scaling);
  const row = (name: string, cell: (size: Scaling) => string) => [name, ...sizes.map(cell)];
  const total = ({ questions }: Scaling) => Object.values(questions).reduce((sum, part) => sum + part, 0);
  return markdown([
    ['passages', ...Object.keys(SIZES)],
    ['---', ...sizes.map(() => '---')],
    row('in S3 Vectors', ({ gigabytes }) => `${count(gigabytes)} GB`),
    row('embedding, on one processor', ({ processorHours }) => `${count(processorHours)} hours`),
    row('embedding, in the largest builder', ({ builderRuns }) => `${count(builderRuns)} runs of 15 minutes`),
    row('embedding', ({ once }) => dollars(once.embedding)),
    row('upload, at 2,500 vectors a second', ({ uploadHours }) => `${count(uploadHours, 1)} hours`),
    row('upload', ({ once }) => dollars(once.upload)),
    row('storage a month', ({ storage }) => dollars(storage)),
    row('a million questions', (size) => dollars(total(size))),
    row('- queries', ({ questions }) => dollars(questions.queries)),
    row('- vectors processed', ({ questions }) => dollars(questions.processed)),
    row('- rows returned', ({ questions }) => dollars(questions.returned)),
    row('- lists of words, read from S3', ({ questions }) => dollars(questions.lists)),
    row('- rows that only words find', ({ questions }) => dollars(questions.rows)),
    row('- the function, which waits', ({ questions }) => dollars(questions.function)),
    row(
      'lists of words read for a question',
      ({ lists }) => `${count(lists.megabytes)} MB, ${count(lists.ms)} ms`,
    ),
  ]);
}

/** A launch day: questions in a day, and a second at its peak. */
const LAUNCH = { questions: MILLION, peak: 200, passages: MILLION };
/** Share of questions that CloudFront answers from its cache. */
const REPEATED = 0.5;
const ARCHITECTURE = 'x86_64';
/** Milliseconds of an answer from the bundle, as `monthlyCost` assumes. */
const BUNDLE_MS = 8;

/** Table of a launch day's costs for docs/scaling.md, in Markdown. */
export function launchTable(): string {
  const { queries, processed, returned, lists, rows } = scaling(LAUNCH.passages).questions;
  const bundle = (questions: number, durationMs: number) => {
    const { total, monitoring } = monthlyCost({ questions, architecture: ARCHITECTURE, durationMs });
    return total - monitoring;
  };
  const cached = (behind: number) => LAUNCH.questions * PRICES.cloudFront.request + (1 - REPEATED) * behind;
  const s3Vectors = bundle(LAUNCH.questions, WAITING_MS) + queries + processed + returned + lists + rows;
  const environments = (ms: number) => Math.ceil((LAUNCH.peak * ms) / 1000);
  const ready = (ms: number) =>
    dollars((provisionedCost(environments(ms), PROCESSOR_MB, ARCHITECTURE) * 24) / HOURS_A_MONTH);
  const ofStore = (name: string, all: number, ms: number) => [
    name,
    dollars(all),
    dollars(cached(all)),
    count(environments(ms)),
    ready(ms),
  ];
  return markdown([
    [
      'store',
      'the day',
      'with CloudFront, half repeated',
      'environments at the peak',
      'kept started for the day',
    ],
    ['---', '---', '---', '---', '---'],
    ofStore('bundle', bundle(LAUNCH.questions, BUNDLE_MS), BUNDLE_MS),
    ofStore('S3 Vectors, 1 million passages', s3Vectors, WAITING_MS),
  ]);
}

/** Cost of a function's time for a million questions. */
function functionCost(durationMs: number): number {
  return monthlyCost({ questions: MILLION, architecture: ARCHITECTURE, durationMs }).compute;
}

const inGigabytes = (bytes: number) => bytes / 2 ** 30;
const markdown = (rows: readonly string[][]) => rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const count = (value: number, digits = 0) =>
  value.toLocaleString('en', { maximumFractionDigits: value < 10 ? Math.max(digits, 1) : 0 });
