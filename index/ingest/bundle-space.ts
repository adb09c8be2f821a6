import type { CompiledModel } from '../format/compiled-model.ts';

/** Lambda's quota for a function's code, unzipped: 250 MB of 1,048,576 bytes (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). */
export const BUNDLE_LIMIT = 262_144_000;

/** Upper bounds for the code, page, licences and native library of a packaged function, by engine. */
const CODE_BYTES = { packed: 1_000_000, onnx: 18_300_000 };

export interface BundleSpace {
  /** Bytes of all files of the function, unzipped. */
  bytes: number;
  /** Lambda's limit for them; `bytes` must be below it. */
  limit: number;
  passages: number;
  /** About how many further passages of this kind fit; negative if there are too many. */
  passagesLeft: number;
}

/** Says how full the bundle is that contains indexes. */
export function bundleSpace(beside: number, indexes: { bytes: number; passages: number }): BundleSpace {
  const { bytes, passages } = indexes;
  const left = BUNDLE_LIMIT - beside - bytes;
  const passagesLeft = Math.floor(left / (bytes / passages));
  return { bytes: beside + bytes, limit: BUNDLE_LIMIT, passages, passagesLeft };
}

/** Bytes of a function beside its indexes, before it is packaged: an upper bound. */
export function bytesBesideIndexes({ engine, files }: Pick<CompiledModel, 'engine' | 'files'>): number {
  return Object.values(files).reduce((sum, { bytes }) => sum + bytes, CODE_BYTES[engine]);
}

/** Whether the bundle is so full that its owner should plan the change to another store. */
export function isNearlyFull({ bytes, limit }: BundleSpace): boolean {
  return bytes > 0.8 * limit;
}

/** How full a bundle is, in sentences, and what to do once it is full. */
export function describeBundle({ bytes, limit, passages, passagesLeft }: BundleSpace): string {
  const most = Math.floor(limit / 1e6);
  if (bytes >= limit)
    return (
      `The function would take ${Math.ceil(bytes / 1e6)} MB, but Lambda's limit is ${most} MB: about ` +
      `${rounded(passages + passagesLeft)} of these ${passages.toLocaleString('en')} passages fit. ${REMEDY}`
    );
  return (
    `The function takes ${Math.floor(bytes / 1e6)} of ${most} MB (${Math.floor((bytes / limit) * 100)} %). ` +
    `About ${rounded(passagesLeft)} more passages fit. Past that: store s3vectors.`
  );
}

/** What to do about indexes that do not fit. */
export const REMEDY =
  'Index fewer or shorter passages, build with --tokens off, or set "store": "s3vectors" in cdk.json.';

/** A count rounded down to two digits, as text. */
export function rounded(count: number): string {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(count, 1))) - 1);
  return (Math.floor(Math.max(count, 0) / unit) * unit).toLocaleString('en');
}
