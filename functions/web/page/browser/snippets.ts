import { type PageState, parametersOf, queryOf } from './page-state.ts';

/** A request to show as code. */
export interface ShownRequest {
  /** URL of the endpoint, with a final slash. */
  base: string;
  state: PageState;
  /** Whether to send a key. The code reads it from the environment, because code gets copied and shared. */
  withKey: boolean;
}

/** A language of the shown code. */
export type CodeLanguage = 'curl' | 'typescript' | 'python';

/** The request as a complete program without dependencies. */
export const snippets: Record<CodeLanguage, (request: ShownRequest) => string> = { curl, typescript, python };

const KEY = 'POLYSEEK_API_KEY';

function curl({ base, state, withKey }: ShownRequest): string {
  // A form-encoded query contains no quotes.
  return `curl ${withKey ? `-H "x-api-key: $${KEY}" ` : ''}'${base}search?${queryOf(state)}'`;
}

/** One line for each parameter: its name and value between `open` and `close`. JSON strings are valid literals in JavaScript and Python. */
function lines(state: PageState, open: string, close: string): string {
  return parametersOf(state)
    .map(([name, value]) => `${open}${JSON.stringify(name)}, ${JSON.stringify(value)}${close},\n`)
    .join('');
}

function typescript({ base, state, withKey }: ShownRequest): string {
  const options = withKey ? `, {\n  headers: { 'x-api-key': process.env.${KEY}! },\n}` : '';
  return `const query = new URLSearchParams([
${lines(state, '  [', ']')}]);
const response = await fetch(\`${base}search?\${query}\`${options});
if (!response.ok) throw new Error(await response.text());
const { verdict, results } = await response.json();
if (verdict === 'possible') console.log('No sure answer. The closest passage:');
console.log(verdict === 'none' ? 'No answer found.' : results[0].highlight.text);
`;
}

function python({ base, state, withKey }: ShownRequest): string {
  const headers = withKey ? `, headers={"x-api-key": os.environ["${KEY}"]}` : '';
  return `import json${withKey ? ', os' : ''}
from urllib.parse import urlencode
from urllib.request import Request, urlopen

query = urlencode([
${lines(state, '    (', ')')}])
request = Request("${base}search?" + query${headers})
with urlopen(request) as response:
    answer = json.load(response)
if answer["verdict"] == "possible":
    print("No sure answer. The closest passage:")
found = answer["verdict"] != "none"
print(answer["results"][0]["highlight"]["text"] if found else "No answer found.")
`;
}
