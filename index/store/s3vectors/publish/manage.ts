import { type Address, formatAddress } from '../address.ts';
import { loadGeneration } from '../generation.ts';
import { readWork, withJournal } from './journal.ts';
import { listNumbers, movePointer, readPointer, settle } from './pointer.ts';
import { deleteWaste, findWaste, type Pruned } from './prune.ts';
import { type Service, withService } from './service.ts';

/** A generation, for people. */
export interface GenerationInfo {
  generation: number;
  /** Whether searches use it. */
  current: boolean;
  created: string;
  /** Version of the index. */
  version: string;
  model: string;
  documents: number;
  passages: number;
  segments: number;
}

const NOTHING: Pruned = { deleted: [], kept: [], vectors: 0, objects: 0 };

/** Lists the generations of an index that a search can return to, newest first. */
export function versionsOf(address: Address): Promise<GenerationInfo[]> {
  return withService(address, {}, listGenerations);
}

/**
 * Makes another generation current.
 * @param generation default: the newest one before the current one
 * @returns the numbers of the generations that are current now, and were before, and the version of the index
 * @throws if there is no such generation, or another command changes the index
 */
export function rollBackTo(
  address: Address,
  generation: number | undefined,
): Promise<{ live: number; was: number; version: string }> {
  return withService(address, {}, (service) =>
    withJournal(service, {}, async (journal) => {
      const pointer = await settle(service, journal);
      const all = await listGenerations(service);
      const was = pointer.current?.generation ?? 0;
      const found = all.find((one) =>
        generation === undefined ? one.generation < was : one.generation === generation,
      );
      if (!found) {
        const wanted = generation === undefined ? `generation before ${was}` : `generation ${generation}`;
        const names = all.map(({ generation }) => generation).join(', ') || 'none';
        throw new Error(`${formatAddress(address)} has no ${wanted}. Generations: ${names}.`);
      }
      if (found.generation !== was) await movePointer(service, pointer, found.generation);
      return { live: found.generation, was, version: found.version };
    }),
  );
}

/** Deletes all generations but the newest ones (`keep`, with the current one), and whatever no kept generation needs. */
export function pruneIndex(address: Address, keep: number, dryRun = false): Promise<Pruned> {
  return withService(address, {}, async (service) => {
    if (dryRun) {
      const { current } = await readPointer(service);
      if (!current) return NOTHING;
      const waste = await findWaste(service, await readWork(service), current, keep, true);
      return { ...waste, vectors: waste.vectors.length, objects: waste.objects.length };
    }
    return withJournal(service, {}, async (journal) => {
      const pointer = await settle(service, journal);
      let { current } = pointer;
      // Before the first generation, nothing could stop an abandoned publication that still runs.
      if (!current) return NOTHING;
      if (journal.state.abandoned.length > 0)
        current = await movePointer(service, pointer, current.generation);
      return deleteWaste(service, journal, current, keep, true);
    });
  });
}

async function listGenerations(service: Service): Promise<GenerationInfo[]> {
  const { current } = await readPointer(service);
  const { removing, publication } = await readWork(service);
  const numbers = (await listNumbers(service)).filter(
    (number) => !removing.includes(number) && number !== publication?.generation,
  );
  const generations = await Promise.all(numbers.map((number) => loadGeneration(service, number)));
  const forEveryone = generations.filter(({ access }) => !access);
  return forEveryone.map(({ generation, created, version, model, counts, segments }) => ({
    generation,
    current: generation === current?.generation,
    created,
    version,
    model: model.name,
    documents: counts.documents,
    passages: counts.passages,
    segments: segments.length,
  }));
}
