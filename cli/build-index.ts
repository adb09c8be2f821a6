import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenSetting } from '../index/build.ts';
import { type Built, buildFromSources, DEFAULT_INDEX } from '../index/local.ts';
import { Notices } from '../index/reading/notices.ts';
import { type Config, readConfig } from '../index/sources/config.ts';
import { openSources } from '../index/sources/open-sources.ts';
import { main, print, size, Tool, UsageError } from './kit/command.ts';
import { choice, jsonOption } from './kit/flags.ts';
import { noticesText } from './kit/notices-text.ts';
import { showProgress } from './kit/progress.ts';
import { watchSources } from './kit/watch.ts';

interface Flags
  extends Pick<Config, 'include' | 'exclude' | 'baseUrl' | 'plain' | 'index' | 'model' | 'tokens'> {
  config?: string;
  strict?: boolean;
  watch?: boolean;
  json?: boolean;
}

const TOKEN_SETTINGS: TokenSetting[] = ['auto', 'on', 'off'];
/** Exit code of a build that succeeded, but could not read some files. */
const SOME_FAILED = 4;

const append = (value: string, before: string[] = []) => [...before, value];

const command = new Tool(
  'npm run build-index --',
  'Build an index from documents. Reads PDF, Office, HTML, Markdown, mail, data and many other files, folders and archives. docs/documents.md lists the formats.',
)
  .argument('[path...]', 'files and folders; without them, the sources of the config file')
  .option('--config <file>', 'config file (default: polyseek.config.json, if it exists)')
  .option(
    '--index <dir>',
    `folder to write; replaces any existing index once the build succeeds (default: ${DEFAULT_INDEX})`,
  )
  .option('--include <pattern>', 'read only files that match, as in .gitignore (repeatable)', append)
  .option('--exclude <pattern>', 'skip files and folders that match, as in .gitignore (repeatable)', append)
  .option('--base-url <url>', 'address of the folder, to turn paths into links')
  .option('--plain', 'take plain text as it is: find no headings and rejoin no lines')
  .option('--strict', 'stop at the first file that cannot be read')
  .option('--watch', 'build again whenever a file changes')
  .option('--model <dir>', 'model folder (default: index/model)')
  .addOption(
    choice(
      '--tokens <setting>',
      'store token states, for a better ranking; auto (default) stores them if the index then fits a Lambda function',
      TOKEN_SETTINGS,
    ),
  )
  .addOption(jsonOption())
  .examples(
    'npm run build-index -- docs notes/faq.md',
    'npm run build-index -- docs --exclude drafts/ --base-url https://docs.example/',
    'npm run --silent build-index -- docs --index build/docs-index --json',
  )
  .action(async (paths: string[], { config: file, strict, watch, json, ...flags }: Flags) => {
    const config = { ...readConfig(file), ...flags };
    const sources = openSources(config, paths);
    if (sources.length === 0)
      throw new UsageError(
        'Missing argument: path. Name files or folders, or list sources in polyseek.config.json. Example: npm run build-index -- docs',
      );
    const { index = DEFAULT_INDEX, model, tokens } = config;
    const build = async () => {
      const notices = new Notices();
      const start = performance.now();
      try {
        const built = await buildFromSources(sources, index, {
          model,
          tokens,
          strict,
          progress: showProgress('passages and sentences'),
          report: (notice) => notices.add(notice),
        });
        const summary = summarize(index, built, notices, (performance.now() - start) / 1000);
        print(json, summary, () => summaryText(summary));
        process.exitCode = notices.failed > 0 ? SOME_FAILED : 0;
      } catch (error) {
        const groups = notices.groups();
        if (groups.length > 0) console.error(`${noticesText(groups)}\n`);
        throw error;
      }
    };
    await build();
    if (watch) await watchSources(sources, build);
  });

type Summary = ReturnType<typeof summarize>;

function summarize(index: string, { manifest, files, unchanged }: Built, notices: Notices, seconds: number) {
  const { version, counts, languages } = manifest;
  const names = [...Object.keys(manifest.files), 'manifest.json'];
  return {
    index,
    version,
    model: manifest.model.name,
    tokens: manifest.model.tokens !== null,
    files,
    unchanged,
    counts,
    languages,
    notices: notices.groups(),
    seconds: Number(seconds.toFixed(3)),
    bytes: Object.fromEntries(names.map((name) => [name, statSync(join(index, name)).size])),
  };
}

function summaryText({
  index,
  version,
  model,
  tokens,
  files,
  unchanged,
  counts,
  notices,
  seconds,
  bytes,
}: Summary): string {
  const sizes = Object.entries(bytes).map(([name, length]) => `${name} ${size(length)}`);
  return [
    ...(notices.length > 0 ? [noticesText(notices), ''] : []),
    `${index}: ${counted(files, 'file')} (${unchanged} unchanged), ${counted(counts.documents, 'document')}, ` +
      `${counted(counts.passages, 'passage')}, ${counted(counts.sentences, 'sentence')}, ${counted(counts.terms, 'term')}`,
    `${seconds.toFixed(1)} s, ${(counts.passages / seconds).toFixed(1)} passages/s`,
    sizes.join(', '),
    `version ${version}, model ${model}, ${tokens ? 'with' : 'without'} token states`,
  ].join('\n');
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

await main(() => command.parseAsync());
