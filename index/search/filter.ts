import { fieldKey, type Lookup } from '../format/lookup-file.ts';
import { type Filter, InvalidRequest } from './answer.ts';

/**
 * Returns the ordinals of the passages that match every field of a filter, ascending, or undefined for a filter without fields.
 * @param fields the fields that the index can be filtered on
 * @throws InvalidRequest for a field that no passage has
 */
export function matching(lookup: Lookup, filter: Filter, fields: readonly string[]): number[] | undefined {
  let left: Set<number> | undefined;
  for (const [field, value] of Object.entries(filter)) {
    if (!fields.includes(field)) {
      throw new InvalidRequest(
        `No passage has the field ${JSON.stringify(field)}. Filter on ${fields.join(', ')}.`,
      );
    }
    const found = new Set<number>();
    for (const one of Array.isArray(value) ? value : [value]) {
      for (const ordinal of lookup.list(fieldKey(field, one))?.ordinals ?? []) found.add(ordinal);
    }
    left = left ? new Set([...left].filter((ordinal) => found.has(ordinal))) : found;
  }
  return left && [...left].sort((a, b) => a - b);
}
