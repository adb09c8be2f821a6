import {
  type FunctionConfiguration,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  paginateListVersionsByFunction,
} from '@aws-sdk/client-lambda';
import type { Architecture } from '../../index/engine/native-sources.ts';
import { LIVE, type Remote } from './connect.ts';
import { bootstrapBucket } from './settings.ts';
import { type IndexSummary, NO_INDEX, readDescription, readStackVersion } from './version-description.ts';

/** A version that gets a share of the requests, besides the live one. */
export interface Canary {
  version: string;
  /** Of 100 requests. */
  percent: number;
}

/** The alias `live`. */
interface Alias {
  version: string;
  /** Detects changes by others. */
  revision: string;
  canary: Canary | undefined;
  /** The version that CloudFormation published last; undefined if it never moves the alias, or an older polyseek deployed it. */
  stackVersion: string | undefined;
}

export async function readAlias({ lambda, functionName }: Remote): Promise<Alias> {
  const { FunctionVersion, RevisionId, RoutingConfig, Description } = await lambda.send(
    new GetAliasCommand({ FunctionName: functionName, Name: LIVE }),
  );
  const [share] = Object.entries(RoutingConfig?.AdditionalVersionWeights ?? {});
  return {
    version: FunctionVersion!,
    revision: RevisionId!,
    canary: share && { version: share[0], percent: Math.round(share[1] * 100) },
    stackVersion: readStackVersion(Description),
  };
}

/** The code of a version, and its target. */
export interface Configuration {
  version: string;
  /** SHA-256 of the zip, in base64. */
  codeSha256: string;
  architecture: Architecture;
  /** Memory, environment and the like. */
  settings: Partial<FunctionConfiguration>;
  /** Its description, which names the index of a published version. */
  description: string | undefined;
  /** The bucket that `cdk bootstrap` made for the function's account and region. */
  bootstrapBucket: string;
}

/** Reads the configuration of a version; default: `$LATEST`. */
export async function readConfiguration(
  { lambda, functionName, qualifier }: Remote,
  version?: string,
): Promise<Configuration> {
  const found = await lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName, Qualifier: version }),
  );
  const [, , , region = '', account = ''] = found.FunctionArn!.split(':');
  return {
    version: found.Version!,
    codeSha256: found.CodeSha256!,
    architecture: found.Architectures?.[0] === 'arm64' ? 'arm64' : 'x86_64',
    settings: Object.fromEntries(SETTINGS.map((name) => [name, found[name]])),
    description: found.Description,
    bootstrapBucket: bootstrapBucket(account, region, qualifier),
  };
}

/** The settings that a version copies from `$LATEST` when it is published. Its state and dates belong to the version alone. */
const SETTINGS = [
  'Runtime',
  'Role',
  'Handler',
  'Timeout',
  'MemorySize',
  'VpcConfig',
  'DeadLetterConfig',
  'Environment',
  'KMSKeyArn',
  'TracingConfig',
  'Layers',
  'FileSystemConfigs',
  'Architectures',
  'EphemeralStorage',
  'LoggingConfig',
] as const satisfies readonly (keyof FunctionConfiguration)[];

export interface Version {
  version: string;
  live: boolean;
  /** Share of 100 requests that it gets besides the live version. */
  percent?: number | undefined;
  /** The index that it contains; missing if its description has another format. */
  index?: IndexSummary | undefined;
  /** True for the version before the first build of a builder. */
  empty?: true | undefined;
  /** Time of publication, as ISO 8601 in UTC. */
  date: string;
}

export interface Versions {
  live: string;
  /** CloudFormation's own version, which it makes live again if a deploy fails; missing if it never moves `live`. */
  stackVersion?: string | undefined;
  /** Newest first. */
  versions: Version[];
  /** Whether `$LATEST` contains the code of the live version. False after an interrupted push or rollback. */
  aligned: boolean;
}

/** Reads the configuration of every version, newest first; `$LATEST` comes first. */
export async function readVersions({ lambda, functionName }: Remote): Promise<FunctionConfiguration[]> {
  const found: FunctionConfiguration[] = [];
  const pages = paginateListVersionsByFunction({ client: lambda }, { FunctionName: functionName });
  for await (const { Versions = [] } of pages) found.push(...Versions);
  const number = ({ Version }: FunctionConfiguration) =>
    Version === '$LATEST' ? Number.MAX_SAFE_INTEGER : Number(Version);
  return found.sort((a, b) => number(b) - number(a));
}

export async function listVersions(remote: Remote): Promise<Versions> {
  const { version: live, canary, stackVersion } = await readAlias(remote);
  const found = await readVersions(remote);
  const code = (version: string) => found.find(({ Version }) => Version === version)?.CodeSha256;
  const versions = found
    .filter(({ Version }) => Version !== '$LATEST')
    .map(({ Version, Description, LastModified }) => ({
      version: Version!,
      live: Version === live,
      percent: Version === canary?.version ? canary?.percent : undefined,
      index: readDescription(Description),
      empty: Description === NO_INDEX || undefined,
      date: new Date(LastModified!).toISOString(),
    }));
  return { live, stackVersion, versions, aligned: code('$LATEST') === code(live) };
}

const COLUMNS = ['version', 'live', 'index', 'passages', 'model', 'published (UTC)'];

/** A table for people, with a note if `$LATEST` needs repair. */
export function versionTable({ live, versions, aligned }: Versions): string {
  const rows = versions.map(({ version, live, percent, index, date }) => [
    version,
    live ? 'live' : percent === undefined ? '' : `${percent} %`,
    index?.version ?? '?',
    String(index?.passages ?? '?'),
    index?.model ?? '?',
    date.slice(0, 16).replace('T', ' '),
  ]);
  const lines = tableLines([COLUMNS, ...rows]);
  const note =
    `$LATEST contains other code than version ${live}, because a push or rollback was interrupted. The next cdk deploy may publish it. ` +
    `Push again, or run npx polyseek rollback ${live}.`;
  return [...lines, ...(aligned ? [] : ['', note])].join('\n');
}

/** The lines of a table with aligned columns. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
