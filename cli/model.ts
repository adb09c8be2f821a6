import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { importModel } from '../index/compile/import-model.ts';
import { print, size, Tool } from './kit/command.ts';
import { jsonOption } from './kit/flags.ts';
import { showEach } from './kit/progress.ts';

interface Flags {
  out?: string;
  queryPrefix?: string;
  passagePrefix?: string;
  json?: boolean;
}

export const command = new Tool(
  'model',
  'Import another sentence model: BERT-like, with a Unigram tokenizer and mean pooling, as ONNX. Copies its files and tests them.',
)
  .argument(
    '<source>',
    'model folder, or owner/name@REVISION on the Hugging Face hub (or at HF_ENDPOINT); REVISION is a commit or tag',
  )
  .option('--out <dir>', 'output folder (default: .polyseek/model-sources/NAME)')
  .option('--query-prefix <text>', 'prefix of questions, if the model does not declare one')
  .option('--passage-prefix <text>', 'prefix of passages, if the model does not declare one')
  .addOption(jsonOption())
  .examples(
    'npx polyseek model Xenova/multilingual-e5-base@REVISION --query-prefix "query: " --passage-prefix "passage: "',
  )
  .action(async (source: string, flags: Flags) => {
    const { out = defaultOut(source), queryPrefix: query, passagePrefix: passage, json } = flags;
    const show = showEach();
    const model = await importModel(source, out, { query, passage }, (file, done, total) =>
      show(`bytes of ${file}`, done, total),
    );
    const { name, dimensions, maxTokens, prefixes } = model;
    const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    const bytes = files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
    print(
      json,
      { out, name, dimensions, maxTokens, prefixes, bytes },
      () =>
        `${out}: ${name}, ${dimensions} dimensions, up to ${maxTokens} tokens, ${size(bytes)}\n` +
        `prefixes: query ${JSON.stringify(prefixes.query)}, passage ${JSON.stringify(prefixes.passage)}\n` +
        `Next, learn its language axes, then build an index with it:\n` +
        `  npx polyseek learn --model ${out}\n  npx polyseek index PATH --model ${out}`,
    );
  });

/** The folder with the model's name, without the revision. */
function defaultOut(source: string): string {
  return join('.polyseek/model-sources', basename(resolve(source)).replace(/@[\w.-]+$/, ''));
}
