import { fieldKey, type Lookup } from '../format/lookup-file.ts';
import { type Filter, InvalidRequest } from './answer.ts';

/**
 * Returns the ordinals of the passages that match every field of a filter, ascending, or undefined for a filter without fields.
 * Reads repeated values once.
 * @param fields the fields that the index can be filtered on
 * @param passages number of passages in the index
 * @throws InvalidRequest for a field that no passage has
 */
export function matching(
  lookup: Lookup,
  filter: Filter,
  fields: readonly string[],
  passages: number,
): number[] | undefined {
  const wanted = Object.entries(filter);
  if (wanted.length === 0) return undefined;
  // How many of the fields so far each passage matches; it stays behind at the first that it does not.
  const matched = new Uint16Array(passages);
  wanted.forEach(([field, value], before) => {
    if (!fields.includes(field)) {
      throw new InvalidRequest(
        `No passage has the field ${JSON.stringify(field)}. Filter on ${fields.join(', ')}.`,
      );
    }
    const values = Array.isArray(value) ? value : [value];
    for (const key of new Set(values.map((one) => fieldKey(field, one)))) {
      for (const ordinal of lookup.list(key)?.ordinals ?? []) {
        if (matched[ordinal] === before) matched[ordinal] = before + 1;
      }
    }
  });
  const ordinals: number[] = [];
  matched.forEach((count, ordinal) => {
    if (count === wanted.length) ordinals.push(ordinal);
  });
  return ordinals;
}
