import { join } from 'node:path';
import { locateFolder } from '../../index/format/drafts.ts';
import { Passages } from '../../index/format/passages-file.ts';
import { openLocal } from '../../index/ingest/open-local.ts';
import type { Mode } from '../../index/search/answer.ts';
import { randomNumbers } from '../fixtures/index.ts';
import type { Figure } from './figures.ts';
import type { Section } from './report.ts';

const SEED = 41;
/** Questions of each kind. */
const EACH = 100;
/** Results requested. Those of semantic mode are the candidates that vectors find. */
const LISTED = 100;

/** Rare words by what they look like. */
const KINDS = {
  'option, such as --no-pager': /(?<![\w-])--[a-z][a-z0-9]+(?:-[a-z0-9]+)*(?![\w-])/g,
  'error or constant, such as EACCES': /(?<![\w$])[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*(?![\w-])/g,
  'name in code, such as pg_stat_io': /(?<![\w./-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w/-])/g,
};
type Kind = keyof typeof KINDS;

/** A question that one passage answers. */
interface KnownItem {
  kind: Kind;
  q: string;
  /** The passage with the rare word, and those with nearly the same text. */
  group: number;
}

/** Which passage the search found, per question. */
interface Found {
  kind: Kind;
  /** 1-based; infinite if it is not among the results. */
  hybrid: number;
  semantic: number;
}

/**
 * Measures what BM25 adds for rare words. Each question is a word that only one passage of the index has, and two words that follow or
 * precede it there.
 */
export async function words(index: string): Promise<Section> {
  const folder = locateFolder(index);
  const { items, groupOf } = knownItems(folder);
  const search = await openLocal(index);
  const rankOf = async ({ q, group }: KnownItem, mode: Mode) => {
    const { results } = await search.search({ q, k: LISTED, mode });
    const place = results.findIndex(({ id }) => groupOf.get(id) === group);
    return place === -1 ? Number.POSITIVE_INFINITY : place + 1;
  };
  const found: Found[] = [];
  try {
    for (const item of items)
      found.push({
        kind: item.kind,
        hybrid: await rankOf(item, 'hybrid'),
        semantic: await rankOf(item, 'semantic'),
      });
  } finally {
    search.close();
  }
  const share = (ranks: readonly number[], k: number) =>
    ranks.filter((rank) => rank <= k).length / ranks.length;
  const row = (name: string, some: readonly Found[]) => {
    const [hybrid, semantic] = [some.map((one) => one.hybrid), some.map((one) => one.semantic)];
    return [
      name,
      String(some.length),
      ...[share(hybrid, 1), share(semantic, 1), share(hybrid, 10), share(semantic, 10)].map((value) =>
        value.toFixed(3),
      ),
      share(semantic, LISTED).toFixed(3),
    ];
  };
  const kinds = Object.keys(KINDS) as Kind[];
  const figure = (name: string, value: number): Figure => ({ name, value, unit: 'recall' });
  return {
    name: 'words',
    figures: [
      figure(
        'R@1 of rare words, with BM25',
        share(
          found.map(({ hybrid }) => hybrid),
          1,
        ),
      ),
      figure(
        'R@1 of rare words, vectors and tokens alone',
        share(
          found.map(({ semantic }) => semantic),
          1,
        ),
      ),
    ],
    tables: [
      {
        title: `Questions with a word that one of ${groupOf.size.toLocaleString('en')} passages has`,
        head: [
          'rare word',
          'questions',
          'R@1 with BM25',
          'R@1 without',
          'R@10 with BM25',
          'R@10 without',
          `among the ${LISTED} candidates of the vectors`,
        ],
        rows: [
          ...kinds.map((kind) =>
            row(
              kind,
              found.filter((one) => one.kind === kind),
            ),
          ),
          row('all', found),
        ],
      },
    ],
    measured: found,
  };
}

/** Finds rare words, and makes a question of each. The same index gives the same questions. */
function knownItems(index: string): { items: KnownItem[]; groupOf: Map<string, number> } {
  const passages = new Passages(join(index, 'passages.bin'));
  const groupOf = new Map<string, number>();
  // The group that has a word, or undefined if there are several.
  const groups = new Map<string, number | undefined>();
  const contexts: { kind: Kind; word: string; q: string }[] = [];
  try {
    for (let ordinal = 0; ordinal < passages.count; ordinal++) {
      const { id, text, title, group = ordinal } = passages.get(ordinal);
      groupOf.set(id, group);
      for (const word of new Set(`${title} ${text}`.toLowerCase().match(/[\w-]*\w/g)))
        groups.set(word, groups.has(word) && groups.get(word) !== group ? undefined : group);
      for (const [kind, pattern] of Object.entries(KINDS) as [Kind, RegExp][])
        for (const match of text.matchAll(pattern)) {
          const q = questionAround(text, match.index, match[0]);
          if (match[0].length >= 5 && q) contexts.push({ kind, word: match[0].toLowerCase(), q });
        }
    }
  } finally {
    passages.close();
  }
  const random = randomNumbers(SEED);
  const items = (Object.keys(KINDS) as Kind[]).flatMap((kind) => {
    const rare = contexts.filter((one) => one.kind === kind && groups.get(one.word) !== undefined);
    const once = [...new Map(rare.map((one) => [one.word, one])).values()];
    const chosen: KnownItem[] = [];
    while (chosen.length < EACH && once.length > 0) {
      const [{ word, q }] = once.splice(Math.floor(random() * once.length), 1) as [(typeof once)[number]];
      chosen.push({ kind, q, group: groups.get(word)! });
    }
    return chosen;
  });
  return { items, groupOf };
}

/** A word and two further ones near it: those after it, or else before it. */
function questionAround(text: string, start: number, word: string): string | undefined {
  const near = (part: string) => part.match(/(?<![\w-])\p{L}{4,}(?![\w-])/gu) ?? [];
  const after = near(text.slice(start + word.length, start + word.length + 100)).slice(0, 2);
  const before = near(text.slice(Math.max(0, start - 100), start)).slice(-2);
  const others = after.length === 2 ? after : before;
  return others.length === 2 ? `${word} ${others.join(' ')}` : undefined;
}
