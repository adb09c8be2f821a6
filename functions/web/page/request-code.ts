import { copyText } from '../browser/dom.ts';
import type { Texts } from '../browser/texts.ts';
import { find } from './controls.ts';
import { type PageState, parametersOf, queryOf } from './state.ts';

interface ShownRequest {
  /** URL of the endpoint, with a final slash. */
  base: string;
  state: PageState;
  /** Whether to send a key. The code reads it from the environment, because code gets copied and shared. */
  withKey: boolean;
}

type CodeLanguage = 'curl' | 'typescript' | 'python';

/** The request as a complete program without dependencies. */
const snippets: Record<CodeLanguage, (request: ShownRequest) => string> = { curl, typescript, python };

/** Makes the button that shows the current request, if any, as code. Returns a function that updates it. */
export function createRequestCode(texts: Texts, requestOf: () => ShownRequest | undefined): () => void {
  const button = find('button', '#code');
  const section = find('section', '#request');
  const code = find('code', '');

  function show(open = button.ariaExpanded === 'true'): void {
    const request = requestOf();
    const isOpen = open && request !== undefined;
    button.hidden = request === undefined;
    button.ariaExpanded = String(isOpen);
    section.hidden = !isOpen;
    const language = find('input', '[name=as]:checked').value as CodeLanguage;
    if (request) code.textContent = snippets[language](request);
  }

  button.addEventListener('click', () => show(button.ariaExpanded !== 'true'));
  section.addEventListener('change', () => show(true));
  find('button', '#copy').addEventListener('click', () =>
    copyText(code.textContent ?? '', code, find('span', '#copied'), texts),
  );
  return show;
}

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
console.log(verdict, results[0]?.highlight.text);
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
print(answer["verdict"], *[result["highlight"]["text"] for result in answer["results"][:1]])
`;
}
