import { type FunctionConfiguration, paginateListVersionsByFunction } from '@aws-sdk/client-lambda';
import { type Held, readDescription } from '../version-description.ts';
import { type Remote, readAlias } from './connect.ts';

/** A published version. */
export interface Version {
  version: string;
  live: boolean;
  /** What it holds; missing where its description does not say. */
  index?: Held | undefined;
  /** When it was published, as ISO 8601 in UTC. */
  date: string;
}

/** What there is of a function. */
export interface Versions {
  live: string;
  /** Newest first. */
  versions: Version[];
  /** Whether `$LATEST` holds the code that `live` runs, as it does unless a push or rollback was interrupted. */
  aligned: boolean;
}

/** Reads all published versions of a function. */
export async function listVersions(remote: Remote): Promise<Versions> {
  const { version: live } = await readAlias(remote);
  const found: FunctionConfiguration[] = [];
  const pages = paginateListVersionsByFunction(
    { client: remote.lambda },
    { FunctionName: remote.functionName },
  );
  for await (const { Versions = [] } of pages) found.push(...Versions);
  const code = (version: string) => found.find(({ Version }) => Version === version)?.CodeSha256;
  const versions = found
    .filter(({ Version }) => Version !== '$LATEST')
    .sort((a, b) => Number(b.Version) - Number(a.Version))
    .map(({ Version, Description, LastModified }) => ({
      version: Version!,
      live: Version === live,
      index: readDescription(Description),
      date: new Date(LastModified!).toISOString(),
    }));
  return { live, versions, aligned: code('$LATEST') === code(live) };
}

const COLUMNS = ['version', 'live', 'index', 'passages', 'model', 'published (UTC)'];

/** A table for people, with a note where something is left to do. */
export function versionTable({ live, versions, aligned }: Versions): string {
  const rows = versions.map(({ version, live, index, date }) => [
    version,
    live ? 'live' : '',
    index?.version ?? '?',
    String(index?.passages ?? '?'),
    index?.model ?? '?',
    date.slice(0, 16).replace('T', ' '),
  ]);
  const table = [COLUMNS, ...rows];
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  const note =
    `$LATEST holds other code than version ${live}, as a push or a rollback was interrupted, and the next cdk deploy may publish it: ` +
    `push again, or put it right with npm run remote -- rollback ${live}.`;
  return [...lines, ...(aligned ? [] : ['', note])].join('\n');
}
