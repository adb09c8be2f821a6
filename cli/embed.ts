import { compileModel } from '../index/compile/compile.ts';
import { describeValue, type JsonLine, parseJsonLines } from '../index/documents/records/json-lines.ts';
import { Embedder, type TextKind } from '../index/embedding/embedder.ts';
import { Tool } from './kit/command.ts';
import { jsonOption, modelOption } from './kit/flags.ts';

export const command = new Tool(
  'embed',
  'Embed texts. Reads JSON Lines {"text", "kind": "query" | "passage"} from standard input, and prints {"ids", "vector"} for each, in order. Without kind, adds no prefix to the text.',
)
  .addOption(modelOption())
  .addOption(jsonOption('accepted like everywhere; the output is JSON Lines in any case'))
  .examples('echo \'{"text": "hello", "kind": "query"}\' | npx polyseek embed')
  .action(async ({ model }: { model: string }) => {
    const embedder = await Embedder.open(compileModel(model), { verify: true });
    for await (const line of parseJsonLines(process.stdin, 'standard input')) {
      const { text, kind } = readText(line);
      const vector = await embedder.embed(text, kind);
      console.log(JSON.stringify({ ids: embedder.ids(text, kind), vector: Array.from(vector) }));
    }
  });

function readText({ record, place }: JsonLine): { text: string; kind?: TextKind } {
  const { text, kind } = record;
  if (typeof text !== 'string')
    throw new Error(
      `${place}: "text" must be a string but is ${describeValue(text)}. Example: {"text": "hello", "kind": "query"}`,
    );
  if (kind !== undefined && kind !== 'query' && kind !== 'passage')
    throw new Error(`${place}: "kind" must be "query", "passage" or missing but is ${describeValue(kind)}.`);
  return { text, kind };
}
