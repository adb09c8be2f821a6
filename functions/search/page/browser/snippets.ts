import { parametersOf, queryOf, type State } from './state.ts';

/** A request to copy. */
export interface Asked {
  /** Address of the endpoint, with a slash at its end. */
  base: string;
  state: State;
  /** Whether a key is sent. The key itself stays out of what is copied and passed on. */
  withKey: boolean;
}

/** Ways to show a request. */
export type Language = 'curl' | 'typescript' | 'python';

/** The request as a program that runs as it is, with nothing to install. */
export const snippets: Record<Language, (asked: Asked) => string> = { curl, typescript, python };

const KEY = 'POLYSEEK_API_KEY';

function curl({ base, state, withKey }: Asked): string {
  // A query that is form-encoded has no quote in it.
  return `curl ${withKey ? `-H "x-api-key: $${KEY}" ` : ''}'${base}search?${queryOf(state)}'`;
}

/** A line for each parameter, with its name and value between these. What JSON.stringify makes of a text is a literal of JavaScript and of Python too. */
function lines(state: State, open: string, close: string): string {
  return parametersOf(state)
    .map(([name, value]) => `${open}${JSON.stringify(name)}, ${JSON.stringify(value)}${close},\n`)
    .join('');
}

function typescript({ base, state, withKey }: Asked): string {
  const options = withKey ? `, {\n  headers: { 'x-api-key': process.env.${KEY}! },\n}` : '';
  return `const query = new URLSearchParams([
${lines(state, '  [', ']')}]);
const response = await fetch(\`${base}search?\${query}\`${options});
if (!response.ok) throw new Error(await response.text());
const { answered, results } = await response.json();
console.log(answered ? results[0].highlight.text : 'Nothing found');
`;
}

function python({ base, state, withKey }: Asked): string {
  const headers = withKey ? `, headers={"x-api-key": os.environ["${KEY}"]}` : '';
  return `import json${withKey ? ', os' : ''}
from urllib.parse import urlencode
from urllib.request import Request, urlopen

query = urlencode([
${lines(state, '    (', ')')}])
request = Request("${base}search?" + query${headers})
with urlopen(request) as response:
    answer = json.load(response)
best = answer["results"][0] if answer["answered"] else None
print(best["highlight"]["text"] if best else "Nothing found")
`;
}
