import { existsSync, readFileSync, statSync } from 'node:fs';
import * as v from 'valibot';
import { jsonProblem } from '../../documents/records/values.ts';

/** The name of the config file, in the current folder. */
export const CONFIG_FILE = 'polyseek.config.json';

const patterns = (description: string) =>
  v.optional(v.pipe(v.array(v.string('a pattern'), 'a list of patterns'), v.description(description)));

const text = (description: string) =>
  v.pipe(v.string('text'), v.nonEmpty('text'), v.description(description));

const fieldNames = v.strictObject({
  id: v.optional(text('The field with the ID of a record.')),
  title: v.optional(text('The field with the title.')),
  text: v.optional(
    v.pipe(
      v.union([v.string(), v.array(v.string())], 'the name of a field, or a list of names'),
      v.description('The field with the text, or several fields, whose texts become paragraphs.'),
    ),
  ),
  url: v.optional(text('The field with the address of a record.')),
  lang: v.optional(text('The field with the language of a record, a BCP 47 tag.')),
});

const address = (description: string) =>
  v.pipe(
    v.string('an address'),
    v.url('an address such as https://docs.example/'),
    v.description(description),
  );

const access = v.optional(
  v.pipe(
    v.array(v.pipe(v.string('a group'), v.nonEmpty('a group')), 'a list of groups'),
    v.minLength(1, 'a list of groups'),
    v.description('The groups that may read documents without a field "access". Default: everyone.'),
  ),
);

const readOptions = {
  plain: v.optional(
    v.pipe(
      v.boolean('true or false'),
      v.description('Takes plain text as it is: finds no headings and rejoins no lines.'),
    ),
  ),
  lang: v.optional(text('The language of documents that declare none: a BCP 47 tag.')),
  fields: v.optional(
    v.pipe(fieldNames, v.description('The fields of records in CSV, JSON, XML, spreadsheets and databases.')),
  ),
  access,
};

const folderOptions = {
  ...readOptions,
  include: patterns('Reads only files that match one of these patterns, as in .gitignore.'),
  exclude: patterns('Skips files and folders that match one of these patterns, as in .gitignore.'),
  baseUrl: v.optional(
    address('The address of the folder. The URL of a document is this address and its path.'),
  ),
  urlSuffix: v.optional(
    v.pipe(
      v.picklist(['', '/', '.html'], '"", "/" or ".html"'),
      v.description('Replaces .md, .mdx, .rst and .adoc in URLs of documents, as the website does.'),
    ),
  ),
};

/** Settings of databases. */
const queryOptions = {
  query: text('A SELECT statement with ORDER BY. Each row is a document.'),
  name: v.optional(text('The name of the rows in the index: sql.jsonl by default.')),
  ...readOptions,
};

/** A kind of source for each setting that only it has. */
const sourceKinds = {
  path: v.strictObject({ path: text('A file or folder.'), ...folderOptions }),
  stdin: v.strictObject({
    stdin: v.pipe(v.literal(true, 'true'), v.description('Reads JSON Lines from standard input.')),
    ...readOptions,
  }),
  sitemap: v.strictObject({
    sitemap: address('The address of a sitemap, whose pages are read.'),
    requestsPerSecond: v.optional(
      v.pipe(
        v.number('a number'),
        v.minValue(0.1, '0.1 or more'),
        v.maxValue(100, '100 or less'),
        v.description('2 by default.'),
      ),
    ),
    ...readOptions,
  }),
  s3: v.strictObject({
    s3: v.pipe(
      v.string('text'),
      v.regex(/^s3:\/\/[^/]+/, 's3://BUCKET/PREFIX'),
      v.description('A bucket, and a prefix of its keys: s3://bucket/prefix.'),
    ),
    ...readOptions,
  }),
  sqlite: v.strictObject({ sqlite: text('A SQLite database file.'), ...queryOptions }),
  postgres: v.strictObject({
    postgres: text('The environment variable with the connection string of a PostgreSQL database.'),
    ...queryOptions,
  }),
};

const sourceSchema = v.union(
  [text('A file or folder.'), ...Object.values(sourceKinds)],
  `a path, or an object with one of ${Object.keys(sourceKinds).join(', ')}`,
);

export const configSchema = v.strictObject({
  $schema: v.optional(v.string()),
  sources: v.optional(v.pipe(v.array(sourceSchema, 'a list'), v.description('Where the documents are.'))),
  ...folderOptions,
  index: v.optional(text('The folder of the index: .polyseek/index by default.')),
  cache: v.optional(text('The folder with results of earlier builds: .polyseek/cache by default.')),
  model: v.optional(text('The folder of the model.')),
  tokens: v.optional(
    v.pipe(
      v.picklist(['auto', 'on', 'off'], 'auto, on or off'),
      v.description('Whether the index stores token states.'),
    ),
  ),
  tuning: v.optional(
    v.pipe(
      v.strictObject({
        slope: v.pipe(v.number('a number'), v.minValue(0.1, '0.1 or more')),
        intercept: v.number('a number'),
      }),
      v.description('How the confidence fits your questions. npx polyseek tune writes it.'),
    ),
  ),
});

export type Config = v.InferOutput<typeof configSchema>;
export type SourceConfig = v.InferOutput<typeof sourceSchema>;

/**
 * Reads a config file.
 * @param path the file; by default `polyseek.config.json` in the current folder, if it exists
 * @throws naming the file and the setting if it is not a config file
 */
export function readConfig(path?: string): Config {
  if (path === undefined && !existsSync(CONFIG_FILE)) return {};
  const file = path ?? CONFIG_FILE;
  // A FIFO would wait for ever, and a device may have no end.
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false)
    throw new Error(`${file}: not a regular file. Choose another file.`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: not valid JSON (${jsonProblem(error)}). Correct it, or choose another file.`);
  }
  const result = v.safeParse(configSchema, value);
  if (result.success) return result.output;
  throw new Error(`${file}: ${describe(preciseIssue(result.issues[0]))}`);
}

interface Fault {
  issue: v.BaseIssue<unknown>;
  /** The place of the source that has the fault. */
  above: string;
  /** The settings that its place may have. */
  settings: object;
}

/** For a source of a known kind, what is wrong with it, rather than that it is of no kind. */
function preciseIssue(issue: v.BaseIssue<unknown>): Fault {
  const [list, item] = issue.path ?? [];
  const value = item?.value;
  if (list?.key === 'sources' && typeof value === 'object' && value !== null) {
    const [, schema] = Object.entries(sourceKinds).find(([key]) => key in value) ?? [];
    const own = schema && v.safeParse(schema, value);
    if (own && !own.success)
      return { issue: own.issues[0], above: `sources.${item?.key}.`, settings: schema.entries };
  }
  const { $schema, ...settings } = configSchema.entries;
  return { issue, above: '', settings: settings };
}

function describe({ issue, above, settings }: Fault): string {
  const place = above + (v.getDotPath(issue) ?? 'the file');
  if (issue.type === 'strict_object' && issue.expected === 'never')
    return `Unknown setting ${JSON.stringify(place)}. Settings: ${Object.keys(settings).join(', ')}.`;
  const value = issue.input === undefined ? 'missing' : JSON.stringify(issue.input);
  const isObject = issue.type === 'strict_object' && issue.message.startsWith('Invalid');
  return `${place} is ${value}, but must be ${isObject ? 'present' : issue.message}.`;
}
