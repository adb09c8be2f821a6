import { openLocal } from '../../index/ingest/open-local.ts';
import { formatAddress } from '../../index/store/s3vectors/address.ts';
import { publish } from '../../index/store/s3vectors/publish/publish.ts';
import { type S3Vectors, startS3Vectors } from '../fixtures/s3-vectors.ts';
import { startS3Mock } from '../fixtures/s3mock.ts';
import { documentQuestions } from './real-questions.ts';
import type { Section } from './report.ts';

const QUESTIONS = 100;
export const ADDRESS = { bucket: 'bench', name: 'passages' };
/** Results of QueryVectors in one page, as on AWS. */
const PAGE = 100;

/** Starts the stand-in for S3 Vectors with a published index. Its address and credentials are in this process's environment. */
export async function withPublished<T>(index: string, use: (service: S3Vectors) => Promise<T>): Promise<T> {
  const service = await startS3Vectors({ pageSize: PAGE, behind: startS3Mock });
  try {
    await service.createIndex(ADDRESS.bucket, ADDRESS.name);
    Object.assign(process.env, service.env);
    const { passages, bytes } = await publish(index, ADDRESS);
    console.error(`Published ${passages} passages with ${(bytes / 1e6).toFixed(0)} MB`);
    service.calls.length = 0;
    return await use(service);
  } finally {
    await service.stop();
  }
}

/** Counts the calls of S3 and S3 Vectors that questions make, and what they cost: 100 different questions of the index's own documents. */
export async function countCalls(index: string): Promise<Section> {
  return withPublished(index, async (service) => {
    const questions = documentQuestions(index, QUESTIONS);
    const search = await openLocal(formatAddress(ADDRESS));
    service.calls.length = 0;
    try {
      for (const q of questions) await search.search({ q, k: 10, mode: 'hybrid' });
    } finally {
      search.close();
    }
    const operations = [...new Set(service.calls.map(({ operation }) => operation))].sort();
    const each = (value: number) => value / questions.length;
    const measured = operations.map((operation) => {
      const made = service.calls.filter((call) => call.operation === operation);
      const bytes = made.reduce((sum, { bytesOut }) => sum + bytesOut, 0);
      const millions = each(made.length) * 1e6;
      return {
        operation,
        calls: each(made.length),
        bytes: each(bytes),
        dollars: millions * priceOf(operation),
      };
    });
    return {
      name: 'calls',
      figures: [],
      tables: [
        {
          title: `Calls for a question, of ${questions.length} questions`,
          head: ['operation', 'calls', 'KB returned', 'price of these calls for a million questions'],
          rows: measured.map(({ operation, calls, bytes, dollars }) => [
            operation,
            calls.toFixed(2),
            (bytes / 1000).toFixed(1),
            `$${dollars.toFixed(2)}`,
          ]),
        },
      ],
      measured,
    };
  });
}

/** The price of a call in dollars, without data. docs/operating.md#prices has the sources. */
function priceOf(operation: string): number {
  if (operation === 'QueryVectors') return 2.5e-6;
  return operation === 'GetVectors' ? 0.055e-3 : 0.4e-6;
}
