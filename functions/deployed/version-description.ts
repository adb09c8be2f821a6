/** The index that a version of the function contains. */
export interface IndexSummary {
  /** Version of the index, from its manifest. */
  version: string;
  passages: number;
  /** Name of the model. */
  model: string;
}

/** Description of the version that CloudFormation publishes before the first build. It must never change, as that would publish another. */
export const NO_INDEX = 'no index yet';

/** Lambda's limit for a version's description, in characters. */
const MAX_DESCRIPTION = 256;

const PUSHED = 'pushed ';
const FORMAT = /^(?:pushed )?index (\S+), (\d+) passages?, model (.*)$/s;

/**
 * The description of a function's version, at most 256 characters. It is the only record of the version's index and of the command
 * that published it.
 * @param pushed whether `npx polyseek push` published the version, rather than `cdk deploy`
 */
export function describeVersion({ version, passages, model }: IndexSummary, pushed = false): string {
  const start = pushed ? PUSHED : '';
  const text = `${start}index ${version}, ${passages} passage${passages === 1 ? '' : 's'}, model ${model}`;
  if (text.length <= MAX_DESCRIPTION) return text;
  // Half a surrogate pair is not a character.
  return `${text.slice(0, MAX_DESCRIPTION - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Reads a text that `describeVersion` wrote; undefined for any other text. */
export function readDescription(text = ''): IndexSummary | undefined {
  const [, version, passages, model] = text.match(FORMAT) ?? [];
  if (version === undefined || model === undefined) return undefined;
  return { version, passages: Number(passages), model };
}

const STACK_VERSION = 'cdk deploy published version ';

/**
 * The description of the alias `live`. CloudFormation changes it with the alias, also when it undoes a deploy, so it names CloudFormation's
 * own version wherever `npx polyseek push` has moved the alias.
 * @param version may be a token
 */
export function describeAlias(version: string): string {
  return STACK_VERSION + version;
}

/** The version that `describeAlias` named; undefined for any other text. */
export function readStackVersion(text = ''): string | undefined {
  const version = text.startsWith(STACK_VERSION) ? text.slice(STACK_VERSION.length) : '';
  return /^\d+$/.test(version) ? version : undefined;
}

/** Whether `npx polyseek push` published the version with this description. */
export function isPushed(text = ''): boolean {
  return text.startsWith(PUSHED) && readDescription(text) !== undefined;
}
