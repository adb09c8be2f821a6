/** What a version of the function holds. */
export interface Held {
  /** Version of the index, from its manifest. */
  version: string;
  passages: number;
  /** Name of the model. */
  model: string;
}

/** Lambda's limit for a version's description. */
const LONGEST = 256;

const FORMAT = /^index (\S+), (\d+) passages?, model (.*)$/s;

/** The description of a function's version, the one record of what it holds; a model's name that makes it longer than 256 characters is cut. */
export function describeVersion({ version, passages, model }: Held): string {
  const text = `index ${version}, ${passages} passage${passages === 1 ? '' : 's'}, model ${model}`;
  if (text.length <= LONGEST) return text;
  // Half of a surrogate pair is no character.
  return `${text.slice(0, LONGEST - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** What `describeVersion` wrote, or undefined for any other text. */
export function readDescription(text = ''): Held | undefined {
  const [, version, passages, model] = text.match(FORMAT) ?? [];
  if (version === undefined || model === undefined) return undefined;
  return { version, passages: Number(passages), model };
}
