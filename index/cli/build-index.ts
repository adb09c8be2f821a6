import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { buildFromPaths, DEFAULT_INDEX } from '../local.ts';
import { showProgress } from '../progress.ts';
import { main, modelOption } from './main.ts';

const command = new Command('npm run build-index --')
  .description('Index documents: text, Markdown, HTML and JSON Lines files, or folders of them.')
  .argument('<path...>', 'files and folders')
  .option(
    '--out <dir>',
    'where to put the index; one that is there is replaced when the new one is whole',
    DEFAULT_INDEX,
  )
  .addOption(modelOption())
  .addHelpText('after', '\nExample:\n  npm run build-index -- docs notes/faq.md --out build/index');

await main(async () => {
  command.parse();
  const { out, model } = command.opts<{ out: string; model: string }>();
  let skipped = 0;
  const start = performance.now();
  const manifest = await buildFromPaths(command.args, out, {
    model,
    progress: showProgress('passages and sentences'),
    onSkip: () => skipped++,
  });
  const seconds = (performance.now() - start) / 1000;
  const { counts, files } = manifest;
  const sizes = [...Object.keys(files), 'manifest.json'].map(
    (name) => `${name} ${size(statSync(join(out, name)).size)}`,
  );
  console.log(
    `${out}: ${counts.documents} documents, ${counts.passages} passages, ${counts.sentences} sentences, ${counts.terms} terms` +
      `${skipped ? `; ${skipped} files of other formats skipped` : ''}\n` +
      `${seconds.toFixed(1)} s, ${(counts.passages / seconds).toFixed(1)} passages/s\n${sizes.join(', ')}\n` +
      `version ${manifest.version}, model ${manifest.model.name}`,
  );
});

function size(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
