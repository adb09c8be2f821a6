import type { Address } from '../address.ts';
import { formatAddress } from '../address.ts';
import { type GenerationInfo, listGenerations, movePointer, readPointer } from './generations.ts';
import { Journal, readWork, thisProcess } from './journal.ts';
import { deleteWaste, findWaste, type Pruned } from './prune.ts';
import { Service, type ServiceOptions } from './service.ts';
import { settle } from './settle.ts';

/** The result of a rollback. */
export interface RolledBack {
  /** The number of the generation that is current now, and of the one before. */
  live: number;
  was: number;
  /** Version of the index. */
  version: string;
}

/** Lists the generations of an index, newest first. */
export function versionsOf(address: Address, options: ServiceOptions = {}): Promise<GenerationInfo[]> {
  return withService(address, options, listGenerations);
}

/**
 * Makes another generation current.
 * @param generation default: the newest one before the current one
 * @throws if there is no such generation, or another command changes the index
 */
export function rollBackTo(
  address: Address,
  generation: number | undefined,
  options: ServiceOptions = {},
): Promise<RolledBack> {
  return withService(address, options, async (service) => {
    const journal = await Journal.acquire(service, thisProcess(), 0);
    return journal.during(async () => {
      const pointer = await settle(service, journal);
      const all = await listGenerations(service);
      const was = pointer.current?.generation ?? 0;
      const found = all.find((one) =>
        generation === undefined ? one.generation < was : one.generation === generation,
      );
      const names = all.map(({ generation }) => generation).join(', ') || 'none';
      if (!found)
        throw new Error(
          generation === undefined
            ? `${formatAddress(address)} has no generation before ${was}. Generations: ${names}.`
            : `${formatAddress(address)} has no generation ${generation}. Generations: ${names}.`,
        );
      if (found.generation !== was) await movePointer(service, pointer, found.generation);
      return { live: found.generation, was, version: found.version };
    });
  });
}

/**
 * Deletes all generations but the newest ones, and whatever no kept generation needs.
 * @param keep generations to keep, with the current one
 * @throws if another command changes the index
 */
export function pruneIndex(
  address: Address,
  keep: number,
  dryRun = false,
  options: ServiceOptions = {},
): Promise<Pruned> {
  return withService(address, options, async (service) => {
    if (dryRun) {
      const { current } = await readPointer(service);
      if (!current) return NOTHING;
      const { vectors, objects, ...rest } = await findWaste(
        service,
        await readWork(service),
        current,
        keep,
        true,
      );
      return { ...rest, vectors: vectors.length, objects: objects.length };
    }
    const journal = await Journal.acquire(service, thisProcess(), 0);
    return journal.during(async () => {
      let pointer = await settle(service, journal);
      // Before the first generation, nothing could stop an abandoned publication that still runs.
      if (!pointer.current) return NOTHING;
      if (journal.work.abandoned.length > 0)
        pointer = await movePointer(service, pointer, pointer.current.generation);
      return deleteWaste(service, journal, pointer.current!, keep, true);
    });
  });
}

const NOTHING: Pruned = { deleted: [], kept: [], vectors: 0, objects: 0 };

async function withService<T>(
  address: Address,
  options: ServiceOptions,
  run: (service: Service) => Promise<T>,
): Promise<T> {
  const service = new Service(address, options);
  try {
    return await run(service);
  } finally {
    service.close();
  }
}
