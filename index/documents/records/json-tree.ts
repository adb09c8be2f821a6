import type { Document } from '../document.ts';
import type { Input } from '../input.ts';
import { isTooDeep, MAX_DEPTH } from '../nesting.ts';
import { isOpenApi, readOpenApi } from '../openapi/operations.ts';
import { rowOf } from './json-objects.ts';
import { readRecords } from './records.ts';

/** The list of records is at most this deep in an object: `{"data": {"items": […]}}`. */
const LIST_DEPTH = 3;
/** Characters of JSON around a list of records, for each one of the list. */
const LEAST_SHARE = 0.5;

/**
 * Reads an object that is a whole file: the operations of an OpenAPI document; the records of a list that is most of it; else one
 * document.
 */
export async function* readTree(input: Input, value: object): AsyncGenerator<Document> {
  if (isTooDeep(value)) throw input.failure('nested too deep', `Flatten it to at most ${MAX_DEPTH} levels.`);
  if (isOpenApi(value)) {
    yield* readOpenApi(input, value);
    return;
  }
  const list = longestList(value);
  if (list && sizeOf(list.items) >= LEAST_SHARE * sizeOf(value)) {
    const { items, name } = list;
    async function* rows() {
      for (const [i, item] of items.entries()) yield rowOf(item, `${input.path}: ${name}[${i}]`);
    }
    yield* readRecords(input, rows());
    return;
  }
  async function* single() {
    yield rowOf(value, input.path);
  }
  yield* readRecords(input, single(), { isOnly: true });
}

/** The longest list of objects in an object, and its name. */
function longestList(root: object): { name: string; items: object[] } | undefined {
  let best: { name: string; items: object[] } | undefined;
  let level = [{ name: '', value: root }];
  for (let depth = 0; depth < LIST_DEPTH; depth++) {
    const next: typeof level = [];
    for (const { name, value } of level)
      for (const [key, item] of Object.entries(value)) {
        const path = name === '' ? key : `${name}.${key}`;
        if (Array.isArray(item)) {
          if (item.length > (best?.items.length ?? 0) && item.every(isObject))
            best = { name: path, items: item };
        } else if (isObject(item)) next.push({ name: path, value: item });
      }
    level = next;
  }
  return best;
}

/** About how many characters a value has in JSON. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 4;
  let size = 2;
  for (const [key, item] of Object.entries(value))
    size += (Array.isArray(value) ? 1 : key.length + 4) + sizeOf(item);
  return size;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
