import { readIndexAddress } from '../../functions/deployed/function-parts.ts';
import { tableLines } from '../../functions/deployed/versions.ts';
import { type Address, formatAddress, parseAddress } from '../../index/store/s3vectors/address.ts';
import type { GenerationInfo } from '../../index/store/s3vectors/publish/manage.ts';
import type { Pruned } from '../../index/store/s3vectors/publish/prune.ts';
import type { Published } from '../../index/store/s3vectors/publish/publish.ts';
import { counted, exitInterrupted, exitOnInterrupt, size, stopOnInterrupt } from './command.ts';
import { prepareSdk, type Target, target } from './deployed.ts';
import { showEach } from './progress.ts';

export interface AddressFlags extends Target {
  to?: string;
}

/** Milliseconds to wait for another publication: longer than the lease of a process that was killed. */
const PATIENCE = 90_000;

/** The address of `--to`; otherwise that of the deployed function's index. */
export async function findAddress({ to, ...flags }: AddressFlags): Promise<Address> {
  prepareSdk();
  return to === undefined ? readIndexAddress(target(flags)) : parseAddress(to);
}

/** Publishes a local index, with progress on standard error. An interrupt ends it after the batches that run. */
export async function publishFolder(
  folder: string,
  address: Address,
  rewrite: boolean | undefined,
): Promise<Published> {
  const { publish } = await import('../../index/store/s3vectors/publish/publish.ts');
  const advice = 'Searches still use the index of before. Run the command again to continue the upload.';
  return interruptible(advice, (signal) =>
    publish(folder, address, { signal, rewrite, patience: PATIENCE, progress: showPhases() }),
  );
}

/** Writes an index in S3 Vectors into a folder, with progress on standard error. */
export async function restoreFolder(address: Address, folder: string) {
  const { restoreIndex } = await import('../../index/store/s3vectors/publish/restore.ts');
  const advice = `${folder} is as it was before.`;
  return interruptible(advice, (signal) => restoreIndex(address, folder, { signal, progress: showPhases() }));
}

/** Runs something that an interrupt ends at a good moment. The error then contains `advice` for the user. */
async function interruptible<T>(advice: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  stopOnInterrupt('what runs now', () => {
    exitInterrupted();
    controller.abort(new Error(`Interrupted. ${advice}`));
  });
  try {
    return await run(controller.signal);
  } finally {
    exitOnInterrupt();
  }
}

const DOING = { comparing: 'compared', uploading: 'uploaded', downloading: 'downloaded' };

function showPhases() {
  const show = showEach();
  return ({ phase, done, total }: { phase: keyof typeof DOING; done: number; total: number }) =>
    show(`passages ${DOING[phase]}`, done, total);
}

export function publishedText(published: Published): string {
  const { status, address, generation, version, uploaded, kept, removed, bytes, pruned } = published;
  const outcome =
    status === 'unchanged'
      ? `nothing to upload. Generation ${generation} is the same index.`
      : `generation ${generation} is current. ${counted(uploaded, 'passage')} uploaded (${size(bytes)}), ${kept} kept, ${removed} removed.`;
  const deleted = pruned ? deletedLines(pruned) : [];
  return [`${address}: ${outcome}`, ...deleted, `version ${version}`].join('\n');
}

export function prunedText(address: Address, pruned: Pruned, dryRun: boolean | undefined): string {
  const lines = deletedLines(pruned, dryRun ? 'Would delete' : 'Deleted');
  const kept = `${dryRun ? 'Would keep' : 'Kept'} ${named(pruned.kept)}.`;
  return lines.length > 0
    ? [...lines, kept].join('\n')
    : `${formatAddress(address)}: nothing to delete. ${kept}`;
}

function deletedLines({ deleted, vectors, objects }: Pruned, verb = 'Deleted'): string[] {
  if (deleted.length + vectors + objects === 0) return [];
  const generations = deleted.length > 0 ? `${named(deleted)} with ` : '';
  return [
    `${verb} ${generations}${counted(vectors, 'vector')} and ${counted(objects, 'object')} that no generation needs.`,
  ];
}

function named(generations: readonly number[]): string {
  return `generation${generations.length === 1 ? '' : 's'} ${generations.join(', ')}`;
}

const COLUMNS = ['generation', 'current', 'index', 'passages', 'model', 'published (UTC)'];

export function generationTable(generations: readonly GenerationInfo[]): string {
  const rows = generations.map(({ generation, current, version, passages, model, created }) => [
    String(generation),
    current ? 'current' : '',
    version,
    String(passages),
    model,
    created.slice(0, 16).replace('T', ' '),
  ]);
  return tableLines([COLUMNS, ...rows]).join('\n');
}
