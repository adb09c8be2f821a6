import { watch } from 'chokidar';
import { FolderSource } from '../../index/ingest/sources/folder.ts';
import type { Source } from '../../index/ingest/sources/source.ts';
import { UsageError } from './command.ts';
import { forTerminal } from './terminal.ts';

/** Milliseconds without a change before a build starts: editors write a file in several steps. */
const QUIET = 300;
/** Milliseconds after a change until a build starts in any case: some files change all the time. */
const PATIENCE = 3000;

/** Builds again whenever a file of a folder changes. Prints failures, and goes on. Never returns. */
export async function watchSources(sources: readonly Source[], build: () => Promise<void>): Promise<never> {
  const paths = sources.flatMap((source) => (source instanceof FolderSource ? [source.path] : []));
  if (paths.length === 0) throw new UsageError('--watch needs a file or folder as source.');
  console.error(`Watching ${paths.join(', ')}. Press Ctrl-C to stop.`);
  let changed = () => {};
  watch(paths, { ignoreInitial: true }).on('all', () => changed());
  for (;;) {
    await new Promise<void>((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      let first: number | undefined;
      changed = () => {
        first ??= performance.now();
        clearTimeout(timer);
        timer = setTimeout(resolve, Math.min(QUIET, first + PATIENCE - performance.now()));
      };
    });
    let again = false;
    // A change during a build starts another.
    changed = () => {
      again = true;
    };
    await build().catch((error) =>
      console.error(forTerminal(error instanceof Error ? error.message : String(error))),
    );
    if (again) setTimeout(() => changed(), 0);
  }
}
