import type { MetadataValue } from '../../../format/passage.ts';
import { languageTag } from '../../language-tag.ts';

/** UTF-16 code units. Longer fields are text. */
const MAX_FIELD = 500;

/** What the fields at the top of a text say about it. */
export class DocInfo {
  title: string | undefined;
  lang: string | undefined;
  readonly #fields = new Map<string, MetadataValue>();

  /** Takes a field, unless it is text of the document. Whether it was taken. Empty fields are dropped. */
  take(name: string, value: string): boolean {
    const key = name.toLowerCase();
    if (value.length > MAX_FIELD || /^(?:abstract|dedication)$/.test(key)) return false;
    const lang = /^lang(?:uage)?$/.test(key) ? languageTag(value) : undefined;
    if (lang !== undefined) this.lang = lang;
    else if (key === 'title' && value !== '') this.title = value;
    else if (value !== '') this.#fields.set(key, value);
    return true;
  }

  get metadata(): Record<string, MetadataValue> | undefined {
    return this.#fields.size === 0 ? undefined : Object.fromEntries(this.#fields);
  }
}
