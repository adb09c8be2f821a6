import type { Notice } from '../../documents/file.ts';

/** Notices kept per reason. The rest is only counted. */
const MAX_KEPT = 1000;

const KINDS: Notice['kind'][] = ['failed', 'guessed', 'skipped'];

/** Files, or parts of files, with the same thing to report. */
export interface NoticeGroup {
  kind: Notice['kind'];
  reason: string;
  count: number;
  places: { place: string; fix?: string }[];
}

export class Notices {
  readonly #groups = new Map<string, NoticeGroup>();

  add({ kind, place, reason, fix }: Notice): void {
    const key = `${kind}\0${reason}`;
    const group = this.#groups.get(key) ?? { kind, reason, count: 0, places: [] };
    this.#groups.set(key, group);
    group.count++;
    if (group.places.length < MAX_KEPT) group.places.push({ place, ...(fix && { fix }) });
  }

  /** The groups: failures first, then by number. */
  groups(): NoticeGroup[] {
    return [...this.#groups.values()].sort(
      (a, b) =>
        KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || b.count - a.count || (a.reason < b.reason ? -1 : 1),
    );
  }

  get failed(): number {
    return this.groups().reduce((sum, { kind, count }) => sum + (kind === 'failed' ? count : 0), 0);
  }
}
