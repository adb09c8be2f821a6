import type { MetadataValue } from '../../../format/passage.ts';
import { inlineOrg } from './inline.ts';

/** `#+KEY: value` */
export const KEYWORD = /^[ \t]*#\+([\w-]+)(?:\[[^\]]*\])?:[ \t]*(.*)$/;
const METADATA = new Set([
  'author',
  'date',
  'email',
  'description',
  'keywords',
  'filetags',
  'subtitle',
  'category',
]);
/** UTF-16 code units of a setting. */
const MAX_VALUE = 1_000;

/** The settings of a text. Values of repeated keys are joined. */
export class Settings {
  readonly #values = new Map<string, string>();

  constructor(lines: string[]) {
    for (const line of lines) {
      const [, name = '', value = ''] = line.startsWith('#+') ? (KEYWORD.exec(line) ?? []) : [];
      const key = name.toLowerCase();
      if (key !== '') this.#values.set(key, `${this.get(key)} ${value.trim()}`.trim().slice(0, MAX_VALUE));
    }
  }

  /** Empty if it is not set. */
  get(key: string): string {
    return this.#values.get(key) ?? '';
  }

  /** The states of tasks: the words that may be before a heading. */
  get states(): Set<string> {
    const own = ['todo', 'seq_todo', 'typ_todo'].flatMap((key) => this.get(key).split(/[\s|]+/));
    const names = own.map((state) => state.replace(/\(.*/, '')).filter((state) => state !== '');
    return new Set(['TODO', 'DONE', ...names]);
  }

  get metadata(): Record<string, MetadataValue> | undefined {
    const fields = [...this.#values].flatMap(([key, value]): [string, MetadataValue][] =>
      METADATA.has(key) && value !== ''
        ? [[key, key === 'filetags' ? value.split(/[:\s]+/).filter((tag) => tag !== '') : inlineOrg(value)]]
        : [],
    );
    return fields.length === 0 ? undefined : Object.fromEntries(fields);
  }
}
