import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenSetting } from '../index/build.ts';
import { buildFromPaths, DEFAULT_INDEX } from '../index/local.ts';
import { main, print, size, Tool } from './kit/command.ts';
import { choice, jsonOption, modelOption } from './kit/flags.ts';
import { showBuildProgress } from './kit/progress.ts';

interface Flags {
  index: string;
  model: string;
  tokens: TokenSetting;
  json?: boolean;
}

const TOKEN_SETTINGS: TokenSetting[] = ['auto', 'on', 'off'];

const command = new Tool(
  'npm run build-index --',
  'Build an index from documents: text, Markdown, HTML and JSON Lines files, or folders of them.',
)
  .argument('<path...>', 'files and folders')
  .option(
    '--index <dir>',
    'folder to write; replaces any existing index once the build succeeds',
    DEFAULT_INDEX,
  )
  .addOption(modelOption())
  .addOption(
    choice(
      '--tokens <setting>',
      'store token states, for a better ranking; auto stores them if the index then fits a Lambda function',
      TOKEN_SETTINGS,
    ).default('auto'),
  )
  .addOption(jsonOption())
  .examples(
    'npm run build-index -- docs notes/faq.md',
    'npm run --silent build-index -- docs --index build/docs-index --json',
    'npm run build-index -- docs --tokens off',
  )
  .action(async (paths: string[], { index, model, tokens, json }: Flags) => {
    let skipped = 0;
    const start = performance.now();
    const manifest = await buildFromPaths(paths, index, {
      model,
      tokens,
      progress: showBuildProgress(),
      onSkip: () => skipped++,
    });
    const seconds = (performance.now() - start) / 1000;
    const { version, counts, languages } = manifest;
    const bytes = Object.fromEntries(
      [...Object.keys(manifest.files), 'manifest.json'].map((name) => [
        name,
        statSync(join(index, name)).size,
      ]),
    );
    const built = {
      index,
      version,
      model: manifest.model.name,
      tokens: manifest.model.tokens !== null,
      counts,
      languages,
      skipped,
      seconds: Number(seconds.toFixed(3)),
      bytes,
    };
    print(json, built, () => {
      const files = Object.entries(bytes).map(([name, length]) => `${name} ${size(length)}`);
      const others = `; ${skipped} ${skipped === 1 ? 'file' : 'files'} of other formats skipped`;
      return (
        `${index}: ${counts.documents} documents, ${counts.passages} passages, ${counts.sentences} sentences, ${counts.terms} terms` +
        `${skipped > 0 ? others : ''}\n${seconds.toFixed(1)} s, ${(counts.passages / seconds).toFixed(1)} passages/s\n` +
        `${files.join(', ')}\nversion ${version}, model ${built.model}, ${built.tokens ? 'with' : 'without'} token states`
      );
    });
  });

await main(() => command.parseAsync());
