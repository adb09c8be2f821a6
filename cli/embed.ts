import { compileModel } from '../index/compile/compile.ts';
import { Embedder, type TextKind } from '../index/embedding/embedder.ts';
import { main, Tool } from './kit/command.ts';
import { modelOption } from './kit/flags.ts';

const command = new Tool(
  'npm run embed --',
  'Read JSON Lines {"text", "kind": "query" | "passage"} from standard input and print {"ids", "vector"} for each, in order. Without kind, no prefix is put before the text.',
)
  .addOption(modelOption())
  .examples('echo \'{"text": "hello", "kind": "query"}\' | npm run --silent embed')
  .action(async ({ model }: { model: string }) => {
    const embedder = await Embedder.open(compileModel(model), { verify: true });
    let number = 0;
    for await (const line of readLines(process.stdin)) {
      number++;
      if (line.trim() === '') continue;
      const { text, kind } = parse(line, number);
      const vector = await embedder.embed(text, kind);
      console.log(JSON.stringify({ ids: embedder.ids(text, kind), vector: Array.from(vector) }));
    }
  });

await main(() => command.parseAsync());

/** Lines end at line feeds alone: JSON may hold the other characters that node:readline takes for line ends. */
async function* readLines(input: NodeJS.ReadStream): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of input.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
  yield rest;
}

function parse(line: string, number: number): { text: string; kind?: TextKind } {
  let value: { text?: unknown; kind?: unknown } | null;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`Line ${number} is not JSON: each line must be like {"text": "hello", "kind": "query"}.`);
  }
  const { text, kind } = value ?? {};
  if (typeof text !== 'string')
    throw new Error(`Line ${number} has no text: each line must be like {"text": "hello", "kind": "query"}.`);
  if (kind !== undefined && kind !== 'query' && kind !== 'passage') {
    throw new Error(
      `Line ${number} has kind ${JSON.stringify(kind)}, but must have "query", "passage" or none.`,
    );
  }
  return { text, kind };
}
