import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ACCESS, type Document } from '../documents/document.ts';
import type { Notice } from '../documents/file.ts';
import { restrictedFolder } from '../format/manifest.ts';
import { SpooledList } from './reading/spooled-list.ts';

/** Different lists of groups. Each is an index of its own, which takes a search of its own. */
const MOST_LISTS = 100;

/** The documents that the same groups may read. */
export interface RestrictedDocuments {
  groups: string[];
  documents: SpooledList<Document>;
  /** For their index. */
  folder: string;
}

/**
 * Returns the documents that everyone may read, and adds the others to `restricted`, by their groups. Reports documents whose groups
 * cannot be read, which nobody may see.
 * @param draft folder of the public index, which contains the others
 * @throws if there are more than 100 different lists of groups
 */
export async function* publicDocuments(
  all: AsyncIterable<Document> | Iterable<Document>,
  draft: string,
  restricted: RestrictedDocuments[],
  report: (notice: Notice) => void,
): AsyncGenerator<Document> {
  for await (const document of all) {
    const named = document.metadata?.[ACCESS];
    if (named === undefined) {
      yield document;
      continue;
    }
    const groups = groupsOf(named);
    if (!groups) {
      const fix = `"${ACCESS}" must be the name of a group, or a list of names. Until then, nobody can find it.`;
      report({ kind: 'failed', place: document.source, reason: 'restricted to no group', fix });
      continue;
    }
    let list = restricted.find((one) => isDeepStrictEqual(one.groups, groups));
    if (!list) {
      if (restricted.length === MOST_LISTS)
        throw new Error(
          `${document.source}: the documents have more than ${MOST_LISTS} different lists of groups. Give more of them the same list.`,
        );
      const folder = restrictedFolder(draft, restricted.length);
      mkdirSync(folder, { recursive: true });
      list = { groups, documents: new SpooledList(join(folder, 'documents.tmp')), folder };
      restricted.push(list);
    }
    list.documents.add(Buffer.from(JSON.stringify(document)));
  }
}

/** Different names in an order of their own, so that equal lists are found. Undefined if there is none. */
function groupsOf(named: unknown): string[] | undefined {
  const names = (Array.isArray(named) ? named : [named]).filter(
    (name) => typeof name === 'string' && name !== '',
  );
  return names.length > 0 ? [...new Set<string>(names)].sort() : undefined;
}
