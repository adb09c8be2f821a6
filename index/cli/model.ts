import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import { takeModel } from '../compile/take.ts';
import { showProgress } from '../progress.ts';
import { main } from './main.ts';

interface Options {
  out?: string;
  queryPrefix?: string;
  passagePrefix?: string;
}

const command = new Command('npm run model --')
  .description(
    'Take another sentence model: BERT-like, with a Unigram tokenizer and mean pooling, as ONNX. Its files are copied and tried.',
  )
  .argument('<source>', 'model folder, or owner/name@REVISION on the Hugging Face hub')
  .option('--out <dir>', 'where to put it (default: build/model-sources/NAME)')
  .option('--query-prefix <text>', 'what the model wants before a question, if it does not say so itself')
  .option('--passage-prefix <text>', 'what the model wants before a passage')
  .addHelpText(
    'after',
    '\nREVISION is a commit (40 hexadecimal digits) or a tag. HF_ENDPOINT in the environment names another server than https://huggingface.co.\n' +
      '\nExample:\n  npm run model -- Xenova/multilingual-e5-base@REVISION --query-prefix "query: " --passage-prefix "passage: "',
  );

await main(async () => {
  command.parse();
  const source = command.args[0]!;
  const { out = defaultOut(source), queryPrefix: query, passagePrefix: passage } = command.opts<Options>();
  const bars = new Map<string, ReturnType<typeof showProgress>>();
  const model = await takeModel(source, out, { query, passage }, (file, done, total) => {
    if (!bars.has(file)) bars.set(file, showProgress(`bytes of ${file}`));
    bars.get(file)!(done, total);
  });
  const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const bytes = files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
  console.log(
    `${out}: ${model.name}, ${model.dimensions} dimensions, ${model.maxTokens} tokens at once, ${(bytes / 1e6).toFixed(1)} MB\n` +
      `prefixes: query ${JSON.stringify(model.prefixes.query)}, passage ${JSON.stringify(model.prefixes.passage)}\n` +
      `Next, learn what its vectors say of the language, then index with it:\n` +
      `  npm run learn -- --model ${out}\n  npm run build-index -- PATH --model ${out}`,
  );
});

/** The folder named like the model, without a revision. */
function defaultOut(source: string): string {
  return join('build/model-sources', basename(resolve(source)).replace(/@[\w.-]+$/, ''));
}
