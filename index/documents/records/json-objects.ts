import { isTooDeep, MAX_DEPTH } from '../nesting.ts';
import { jsonProblem } from './json-problem.ts';
import { BadRecord } from './records.ts';
import { fieldsOf, type Row } from './values.ts';

/** The record of a JSON object. */
export function parseObject(json: string, place: string): Row | BadRecord {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return new BadRecord(place, 'not valid JSON', `Correct it (${jsonProblem(error)}).`);
  }
  return rowOf(value, place);
}

/** The record of a JSON value. A string is a record with nothing but a text. */
export function rowOf(value: unknown, place: string): Row | BadRecord {
  if (typeof value === 'string') return { place, fields: new Map([['text', value]]) };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return new BadRecord(place, 'not a JSON object', 'Write each record as a JSON object.');
  if (isTooDeep(value))
    return new BadRecord(place, 'nested too deep', `Flatten it to at most ${MAX_DEPTH} levels.`);
  return { place, fields: fieldsOf(value) };
}
