import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type BuildSettings, buildFromSources } from '../index/ingest/build-from-sources.ts';
import { openFollowing } from '../index/ingest/open-local.ts';
import type { Progress } from '../index/ingest/read-passages.ts';
import { Notices } from '../index/ingest/reading/notices.ts';
import { readConfig } from '../index/ingest/sources/config.ts';
import { openSources } from '../index/ingest/sources/open-sources.ts';
import type { Search } from '../index/search/answer.ts';
import { counted, forTerminal, Tool } from './kit/command.ts';
import { jsonOption, portOption } from './kit/flags.ts';
import { noticesText } from './kit/notices-text.ts';
import { showBuildProgress } from './kit/progress.ts';
import { serve } from './start.ts';

interface Flags {
  port: number;
  open: boolean;
  json?: boolean;
}

const INDEX = '.polyseek/try';

export const command = new Tool(
  'try',
  'Search files and folders in a browser within seconds: by words at first, and by meaning once all passages are embedded. Writes only to .polyseek/, and changes no other index.',
)
  .argument('<path...>', 'files and folders')
  .addOption(portOption())
  .option('--no-open', 'open no browser')
  .addOption(jsonOption())
  .examples('npx polyseek try docs', 'npx polyseek try handbook.pdf notes --no-open')
  .action(tryOut);

async function tryOut(paths: string[], { open, ...flags }: Flags): Promise<void> {
  const config = readConfig();
  const sources = await openSources(config, paths);
  const { model, tuning, cache } = config;
  const notices = new Notices();
  const build = (settings: BuildSettings) =>
    buildFromSources(sources, INDEX, { model, tuning, cache, ...settings });
  let isEmbedded = false;
  const openIndex = async (say: (message: string) => void): Promise<Search> => {
    mkdirSync(dirname(INDEX), { recursive: true });
    writeFileSync(join(dirname(INDEX), '.gitignore'), '*\n');
    const show = showBuildProgress();
    const progress: Progress = (now) => now.phase === 'reading' && show(now);
    await build({ lexical: true, report: (notice) => notices.add(notice), progress });
    const report = noticesText(notices.groups());
    if (report !== '') say(forTerminal(report));
    const search = await openFollowing(INDEX, () => {});
    return {
      get info() {
        return search.info;
      },
      search: (request) => search.search(isEmbedded ? request : { ...request, mode: 'lexical' }),
      passage: (id, context) => search.passage(id, context),
      overview: () => search.overview(),
      documents: (folder, from) => search.documents(folder, from),
      document: (source, from) => search.document(source, from),
      for: (groups) => search.for(groups),
    };
  };
  const keep = `Keep this index: npx polyseek index ${paths.join(' ')}`;
  const url = await serve(flags, openIndex, keep);
  if (open) openBrowser(url);
  console.error('Results match words until all passages are embedded.');
  // Requests are logged meanwhile, so there is no bar.
  const { manifest } = await build({ report: () => {}, progress: showBuildProgress(false) });
  isEmbedded = true;
  console.error(`${counted(manifest.counts.passages, 'passage')} embedded: results match meaning now.`);
}

/** Opens a page in the browser of a person at this machine. */
function openBrowser(url: string): void {
  const { CI, DISPLAY, WAYLAND_DISPLAY } = process.env;
  const isMac = process.platform === 'darwin';
  // Without a desktop, xdg-open would start a browser in this terminal.
  if (!process.stdout.isTTY || CI || !(isMac || DISPLAY || WAYLAND_DISPLAY)) return;
  const opener = spawn(isMac ? 'open' : 'xdg-open', [url], { stdio: 'ignore', detached: true });
  opener.on('error', () => {}).unref();
}
