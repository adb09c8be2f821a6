import { type Pointer, readPointer } from './generations.ts';
import type { Journal } from './journal.ts';
import type { Service } from './service.ts';

/**
 * Reads `current.json` for a change, and forgets publications that became current after all: their process was killed, or lost its
 * lease, between replacing `current.json` and recording that.
 * @param ignoreDamage take a damaged `current.json` as one without a generation
 */
export async function settle(service: Service, journal: Journal, ignoreDamage = false): Promise<Pointer> {
  const pointer = await readPointer(service, ignoreDamage);
  const { publication, abandoned } = journal.work;
  const isCurrent = (one?: { generation: number }) =>
    one !== undefined && one.generation === pointer.current?.generation;
  if (isCurrent(publication) || abandoned.some(isCurrent))
    await journal.record({
      publication: isCurrent(publication) ? undefined : publication,
      abandoned: abandoned.filter((one) => !isCurrent(one)),
    });
  return pointer;
}
