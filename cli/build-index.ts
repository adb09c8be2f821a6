import { statSync } from 'node:fs';
import { join } from 'node:path';
import { buildFromPaths, DEFAULT_INDEX } from '../index/local.ts';
import { main, print, size, Tool } from './kit/command.ts';
import { jsonOption, modelOption } from './kit/flags.ts';
import { showProgress } from './kit/progress.ts';

interface Flags {
  out: string;
  model: string;
  json?: boolean;
}

const command = new Tool(
  'npm run build-index --',
  'Index documents: text, Markdown, HTML and JSON Lines files, or folders of them.',
)
  .argument('<path...>', 'files and folders')
  .option(
    '--out <dir>',
    'where to put the index; one that is there is replaced when the new one is whole',
    DEFAULT_INDEX,
  )
  .addOption(modelOption())
  .addOption(jsonOption())
  .examples(
    'npm run build-index -- docs notes/faq.md',
    'npm run --silent build-index -- docs --out build/docs-index --json',
  )
  .action(async (paths: string[], { out, model, json }: Flags) => {
    let skipped = 0;
    const start = performance.now();
    const manifest = await buildFromPaths(paths, out, {
      model,
      progress: showProgress('passages and sentences'),
      onSkip: () => skipped++,
    });
    const seconds = (performance.now() - start) / 1000;
    const { version, counts, languages } = manifest;
    const bytes = Object.fromEntries(
      [...Object.keys(manifest.files), 'manifest.json'].map((name) => [name, statSync(join(out, name)).size]),
    );
    const built = {
      out,
      version,
      model: manifest.model.name,
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
        `${out}: ${counts.documents} documents, ${counts.passages} passages, ${counts.sentences} sentences, ${counts.terms} terms` +
        `${skipped > 0 ? others : ''}\n${seconds.toFixed(1)} s, ${(counts.passages / seconds).toFixed(1)} passages/s\n` +
        `${files.join(', ')}\nversion ${version}, model ${built.model}`
      );
    });
  });

await main(() => command.parseAsync());
