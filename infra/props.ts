import type { Node } from 'constructs';
import * as v from 'valibot';
import { toApiKeys } from '../functions/search/auth.ts';
import type { Architecture } from '../index/engine/architecture.ts';
import { MAX_KEYS } from './keys.ts';

/** Who may call the endpoint. */
export type Auth = 'none' | 'api-key' | 'iam' | 'jwt';

/** What a `SemanticSearch` is made of; all but `folder` has a default. */
export interface SemanticSearchProps {
  /** Packaged function, as `npm run package -- --arch ARCHITECTURE` makes it. Default: `build/function`. */
  folder?: string | undefined;
  /** Processor; computing on arm64 costs a fifth less. It must be the one that `folder` was packaged for. Default: `x86_64`. */
  architecture?: Architecture | undefined;
  /** Memory in MB, 256 to 10,240. Default: 1,769, as that brings one whole virtual processor: with less, embedding is slower in proportion. */
  memory?: number | undefined;
  /** Seconds after which a question is given up, 1 to 29 (an HTTP API waits for 30). Default: 10. */
  timeout?: number | undefined;
  /** Name of the function. Default: one that CloudFormation makes. */
  functionName?: string | undefined;
  /**
   * Who may call: anyone (`none`), holders of a key made by `npm run key` (`api-key`), AWS identities with
   * `execute-api:Invoke` (`iam`), or holders of a token (`jwt`). Default: `api-key`.
   */
  auth?: Auth | undefined;
  /** For `api-key`: SHA-256 digests of the keys, in hexadecimal, by name; at most 32. */
  apiKeys?: Record<string, string> | undefined;
  /** For `jwt`: address of the tokens' issuer, whose `/.well-known/openid-configuration` API Gateway reads. */
  jwtIssuer?: string | undefined;
  /** For `jwt`: audiences of which a token must name one. */
  jwtAudience?: string[] | undefined;
  /** Origins whose pages may call, such as `https://example.com`, or `*`. Default: none. */
  cors?: string[] | undefined;
  /** Requests a second that are let through on average. Default: 50; 5 where `auth` is `none`. */
  throttleRate?: number | undefined;
  /** Requests that are let through at once. Default: twice `throttleRate`. */
  throttleBurst?: number | undefined;
  /**
   * How many copies of the function may run at once, which bounds what it can cost; taken off the account's quota.
   * Default: `none`; 5 where `auth` is `none`.
   */
  reservedConcurrency?: number | 'none' | undefined;
  /** Days that logs are kept: a number that CloudWatch Logs offers. Default: 30. */
  logRetention?: number | undefined;
  /** Puts the text of questions into the log. Default: false. */
  logQuestions?: boolean | undefined;
  /** Shows browsers a page to search with at `/`. Default: true. */
  page?: boolean | undefined;
  /** Address that alarms are sent to; it must be confirmed once by a link in an e-mail. Default: none. */
  alarmEmail?: string | undefined;
}

/** Props with all defaults filled in. */
export type Settings = v.InferOutput<typeof settingsSchema>;

const RETENTION = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const whole = (min: number, max: number, or = '') => {
  const expected = `${or}a whole number from ${min} to ${max}`;
  return v.pipe(
    v.number(expected),
    v.integer(expected),
    v.minValue(min, expected),
    v.maxValue(max, expected),
  );
};
const pattern = (regex: RegExp, expected: string) => v.pipe(v.string(expected), v.regex(regex, expected));
const oneOf = <const Values extends readonly string[]>(values: Values) =>
  v.picklist(values, `one of ${values.join(', ')}`);

const origin = pattern(
  /^(\*|https?:\/\/[^/\s]+)$/,
  '* or a list of origins such as https://example.com, without a path',
);
// The message of a schema is what the value must be, for "memory is 64, but must be <message>."
const propsSchema = v.strictObject({
  folder: v.optional(v.string('a path'), 'build/function'),
  architecture: v.optional(oneOf(['x86_64', 'arm64']), 'x86_64'),
  memory: v.optional(whole(256, 10_240), 1769),
  timeout: v.optional(whole(1, 29), 10),
  functionName: v.optional(pattern(/^[\w-]{1,64}$/, '1 to 64 letters, digits, _ or -')),
  auth: v.optional(oneOf(['none', 'api-key', 'iam', 'jwt']), 'api-key'),
  // Checked by `toApiKeys`, whose sentence never quotes what might be a key.
  apiKeys: v.optional(
    v.custom<Record<string, string>>(() => true),
    {},
  ),
  jwtIssuer: v.optional(pattern(/^https:\/\/\S+$/, 'an address that begins with https://')),
  jwtAudience: v.optional(v.array(v.string('a list of names'), 'a list of names'), []),
  cors: v.optional(v.array(origin, 'a list of origins'), []),
  throttleRate: v.optional(whole(1, 10_000)),
  throttleBurst: v.optional(whole(1, 10_000)),
  reservedConcurrency: v.optional(
    v.union([v.literal('none'), whole(1, 1000, 'none or ')], 'none or a whole number from 1 to 1000'),
  ),
  logRetention: v.optional(v.picklist(RETENTION, `one of ${RETENTION.join(', ')}`), 30),
  logQuestions: v.optional(v.boolean('true or false'), false),
  page: v.optional(v.boolean('true or false'), true),
  alarmEmail: v.optional(pattern(/^\S+@\S+\.\S+$/, 'an e-mail address')),
});

const settingsSchema = v.pipe(
  propsSchema,
  v.check(
    ({ auth, jwtIssuer, jwtAudience }) =>
      auth !== 'jwt' || (jwtIssuer !== undefined && jwtAudience.length > 0),
    'auth is jwt, but jwtIssuer and jwtAudience are not both given: say who issues the tokens, and for whom.',
  ),
  v.transform(({ throttleRate, throttleBurst, reservedConcurrency, ...props }) => {
    const open = props.auth === 'none';
    const rate = throttleRate ?? (open ? 5 : 50);
    return {
      ...props,
      throttleRate: rate,
      throttleBurst: throttleBurst ?? 2 * rate,
      reservedConcurrency: reservedConcurrency ?? (open ? 5 : ('none' as const)),
    };
  }),
);

/**
 * Checks props and fills in defaults.
 * @throws one sentence for each value that is wrong
 */
export function readProps(props: SemanticSearchProps): Settings {
  const { size } = toApiKeys(props.apiKeys ?? {}, 'apiKeys');
  if (size > MAX_KEYS)
    throw new Error(
      `apiKeys has ${size} keys, but at most ${MAX_KEYS} fit into a function's environment: delete those not in use.`,
    );
  const result = v.safeParse(settingsSchema, props, { abortPipeEarly: true });
  if (result.success) return result.output;
  throw new Error(result.issues.map(describe).join(' '));
}

/**
 * Checks that an endpoint with `auth: api-key` has a key. `readProps` does not, as destroying a stack needs none.
 * @throws if there is no key, with the ways to go on
 */
export function requireApiKey({ auth, apiKeys }: Settings): void {
  if (auth === 'api-key' && Object.keys(apiKeys).length === 0)
    throw new Error(
      'auth is api-key, but there is no API key. Create one with npm run key -- NAME, or choose -c auth=none, iam or jwt.',
    );
}

function describe(issue: v.BaseIssue<unknown>): string {
  const [first, ...inner] = issue.path ?? [];
  if (!first) return issue.message;
  const name = String(first.key);
  if (issue.type === 'strict_object')
    return `There is no setting ${name}: there are ${Object.keys(propsSchema.entries).join(', ')}.`;
  const value = inner.length > 0 ? first.value : issue.input;
  return `${name} is ${JSON.stringify(value)}, but must be ${issue.message}.`;
}

/** Settings of the app beside those of the construct: the stack's name and the index to package. */
const APP = { stack: 'polyseek', index: 'build/index' };

/**
 * Reads settings from CDK's context: `cdk.json`, or `-c name=value`, where numbers, truth values and lists
 * (with commas) arrive as text.
 * @throws if the context has a name that is no setting, which would otherwise change nothing and say nothing
 */
export function readContext(node: Node): { stack: string; index: string; props: SemanticSearchProps } {
  const names = [...Object.keys(APP), ...Object.keys(propsSchema.entries)];
  // CDK's own names, and those under which it keeps what it looked up, have a colon or a slash in them, but for one.
  const given = Object.entries<unknown>(node.getAllContext()).filter(
    ([name]) => /^[\w-]+$/.test(name) && name !== 'cli-telemetry',
  );
  const strange = given.find(([name]) => !names.includes(name));
  if (strange) throw new Error(`The context has no setting ${strange[0]}: there are ${names.join(', ')}.`);
  const {
    stack = APP.stack,
    index = APP.index,
    ...props
  } = Object.fromEntries(
    given.map(([name, value]) => [name, typeof value === 'string' ? fromText(name, value) : value]),
  );
  return { stack: String(stack), index: String(index), props };
}

function fromText(name: string, text: string): unknown {
  if (name === 'cors' || name === 'jwtAudience') return text.split(',').map((item) => item.trim());
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+$/.test(text) ? Number(text) : text;
}
