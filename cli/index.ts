import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { watch } from 'chokidar';
import { readSettings } from '../functions/deployed/settings.ts';
import { locateFolder } from '../index/format/drafts.ts';
import { DEFAULT_INDEX, manifestText } from '../index/format/manifest.ts';
import { countLanguages } from '../index/format/overview.ts';
import type { TokenSetting } from '../index/ingest/build.ts';
import {
  type BuildSettings,
  type Built,
  buildFromSources,
  type Plan,
  planFromSources,
} from '../index/ingest/build-from-sources.ts';
import { describeBundle } from '../index/ingest/bundle-space.ts';
import type { BuildProgress } from '../index/ingest/read-passages.ts';
import { Notices } from '../index/ingest/reading/notices.ts';
import { type Config, readConfig } from '../index/ingest/sources/config.ts';
import { FolderSource } from '../index/ingest/sources/folder.ts';
import { openSources } from '../index/ingest/sources/open-sources.ts';
import type { Source } from '../index/ingest/sources/source.ts';
import { messageOf } from '../index/kit/errors.ts';
import { type Address, formatAddress } from '../index/store/s3vectors/address.ts';
import { counted, exitOnInterrupt, forTerminal, print, size, Tool, UsageError } from './kit/command.ts';
import { stageOption } from './kit/deployed.ts';
import { choice, jobsOption, jsonOption, repeatable } from './kit/flags.ts';
import { noticesText } from './kit/notices-text.ts';
import { showBuildProgress } from './kit/progress.ts';
import {
  type AddressFlags,
  findAddress,
  publishedText,
  publishFolder,
  restoreFolder,
} from './kit/published.ts';

interface Flags extends Config, AddressFlags {
  config?: string;
  jobs?: number;
  strict?: boolean;
  dryRun?: boolean;
  watch?: boolean;
  store?: Store;
  rewrite?: boolean;
}

type Store = (typeof STORES)[number];
const STORES = ['bundle', 's3vectors'] as const;

const TOKEN_SETTINGS: TokenSetting[] = ['auto', 'on', 'off'];
/** Exit code of a build that succeeded, but could not read some files. */
const SOME_FAILED = 4;

export const command = new Tool(
  'index',
  'Build an index from documents: PDF, Office, HTML, Markdown, mail, data, archives and more.',
)
  .argument('[path...]', 'files and folders; without them, the sources of the config file')
  .option('--config <file>', 'config file (default: polyseek.config.json, if it exists)')
  .option(
    '--index <dir>',
    `folder to write; replaces any existing index once the build succeeds (default: ${DEFAULT_INDEX})`,
  )
  .option(
    '--include <pattern>',
    'read only files that match, as in .gitignore (repeatable)',
    repeatable(String),
  )
  .option(
    '--exclude <pattern>',
    'skip files and folders that match, as in .gitignore (repeatable)',
    repeatable(String),
  )
  .option('--base-url <url>', 'address of the folder, to turn paths into links')
  .option('--plain', 'take plain text as it is: find no headings and rejoin no lines')
  .option('--strict', 'stop at the first file that cannot be read')
  .option('--dry-run', 'print what a build would do, and write nothing')
  .option('--watch', 'build again whenever a file changes')
  .option('--cache <dir>', 'folder with results of earlier builds (default: .polyseek/cache)')
  .option('--model <dir>', 'model folder (default: index/model)')
  .addOption(jobsOption())
  .addOption(
    choice(
      '--tokens <setting>',
      'store token states, for a better ranking; auto (default) stores them unless the index is for a function that then has no space',
      TOKEN_SETTINGS,
    ),
  )
  .addOption(
    choice(
      '--store <store>',
      's3vectors also publishes the index to Amazon S3 Vectors. Without paths and sources, it publishes the index in the folder as it is, and bundle writes the published index back into the folder. Default: store of cdk.json',
      [...STORES],
    ),
  )
  .option(
    '--to <address>',
    'publish to s3vectors://BUCKET/NAME (default: the index of the deployed function)',
  )
  .option('--rewrite', 'upload all passages to S3 Vectors again, not only those that changed')
  .option('--function <name>', 'name of the function whose index is published (default: as in cdk.json)')
  .addOption(stageOption())
  .addOption(jsonOption())
  .examples(
    'npx polyseek index docs notes/faq.md',
    'npx polyseek index docs --exclude drafts/ --base-url https://docs.example/',
    'npx polyseek index docs --index build/docs-index --json',
    'npx polyseek index docs --store s3vectors',
  )
  .action(async (paths: string[], allFlags: Flags) => {
    const { config: file, strict, dryRun, watch, store: chosen, to, rewrite, jobs, json, ...rest } = allFlags;
    const { function: name, stage, bucket: _, ...flags } = rest;
    const config = { ...readConfig(file), ...flags };
    const sources = await openSources(config, paths);
    const { index = DEFAULT_INDEX, model, tokens, tuning, cache } = config;
    const store = chosen ?? (to ? 's3vectors' : readSettings(stage).store);
    const address = () => findAddress({ to, function: name, stage });
    if (sources.length === 0) {
      const moved = await moveIndex(index, store, chosen, address, rewrite);
      print(json, moved.result, () => moved.text);
      return;
    }
    const run = async () => {
      const notices = new Notices();
      let isReported = false;
      let at: BuildProgress | undefined;
      /** Reports what was read. Embedding it may take long. */
      const reportRead = (plan: Plan) => {
        isReported = true;
        at = { phase: 'embedding', unit: 'passages', done: 0, total: plan.embedded };
        const report = noticesText(notices.groups());
        if (report !== '') (json ? console.error : console.log)(`${forTerminal(report)}\n`);
        console.error(readText(plan));
      };
      const show = showBuildProgress();
      const interrupt = new AbortController();
      process.removeAllListeners('SIGINT').once('SIGINT', () => {
        exitOnInterrupt();
        interrupt.abort();
      });
      const settings: BuildSettings = {
        model,
        tokens,
        tuning,
        bundled: store === 'bundle',
        cache,
        jobs,
        strict,
        signal: interrupt.signal,
        progress: (now) => {
          at = now;
          show(now);
        },
        report: (notice) => notices.add(notice),
      };
      try {
        if (dryRun) {
          const plan = await planFromSources(sources, settings);
          const groups = notices.groups();
          const report = groups.length > 0 ? `${noticesText(groups)}\n\n` : '';
          print(json, { ...plan, notices: groups }, () => report + planText(plan));
        } else {
          const start = performance.now();
          const place = store === 's3vectors' ? await address() : undefined;
          const built = await buildFromSources(sources, index, { ...settings, planned: reportRead });
          const summary = summarize(index, built, (performance.now() - start) / 1000);
          const published = place && (await publishFolder(index, place, rewrite));
          print(json, { ...summary, ...(published && { published }), notices: notices.groups() }, () =>
            [summaryText(summary), ...(published ? [publishedText(published)] : [])].join('\n'),
          );
        }
      } catch (error) {
        if (interrupt.signal.aborted) {
          const place = at?.phase === 'embedding' ? ` at ${at.done} of ${at.total}` : '';
          // Printed on exit, after a progress bar has ended its line.
          process.once('exit', () => console.error(`Stopped${place}; run again to continue.`));
          process.exit(130);
        }
        // The reason why there is no text, for instance.
        const report = noticesText(notices.groups());
        if (report !== '' && !isReported) console.error(`${forTerminal(report)}\n`);
        throw error;
      } finally {
        exitOnInterrupt();
      }
      process.exitCode = notices.failed > 0 ? SOME_FAILED : 0;
    };
    await run();
    if (watch) await watchSources(sources, run);
  });

/** Publishes the index in the folder as it is, or writes the published one into it. `chosen` is the store that the user named. */
async function moveIndex(
  index: string,
  store: string,
  chosen: Store | undefined,
  address: () => Promise<Address>,
  rewrite: boolean | undefined,
): Promise<{ result: object; text: string }> {
  if (store === 's3vectors' && existsSync(join(locateFolder(index), 'manifest.json'))) {
    const published = await publishFolder(index, await address(), rewrite);
    return { result: { index, published }, text: publishedText(published) };
  }
  if (chosen !== 'bundle')
    throw new UsageError(
      'Missing argument: path. Name files or folders, or list sources in polyseek.config.json. Example: npx polyseek index docs',
    );
  const place = await address();
  const from = formatAddress(place);
  const { version, counts } = await restoreFolder(place, index);
  const text = `${index}: ${counted(counts.passages, 'passage')} of ${from}\nversion ${version}`;
  return { result: { index, from, version, counts }, text };
}

function planText(plan: Plan): string {
  const { embedded, unchanged, tokens } = plan;
  return (
    `A build would read ${contentText(plan)}.\n` +
    `It would embed ${counted(embedded, 'passage')} (${unchanged} unchanged), ${tokens ? 'with' : 'without'} token states.`
  );
}

function readText(plan: Plan): string {
  const { embedded, unchanged } = plan;
  return `Read ${contentText(plan)}. Embedding ${counted(embedded, 'passage')} (${unchanged} unchanged).`;
}

function contentText({ files, unchangedFiles, documents, passages, sentences }: Plan): string {
  return (
    `${counted(files, 'file')} (${unchangedFiles} unchanged): ${counted(documents, 'document')}, ` +
    `${counted(passages, 'passage')}, ${counted(sentences, 'sentence')}`
  );
}

type Summary = ReturnType<typeof summarize>;

function summarize(
  index: string,
  { manifest, restricted, files, unchangedFiles, embedded, unchanged, space }: Built,
  seconds: number,
) {
  const { version, counts, languages } = manifest;
  const bytes: Record<string, number> = {};
  for (const [name, file] of Object.entries(manifest.files)) bytes[name] = file.bytes;
  bytes['manifest.json'] = manifestText(manifest).length;
  return {
    index,
    version,
    model: manifest.model.name,
    tokens: manifest.model.tokens !== null,
    files,
    unchangedFiles,
    counts,
    embedded,
    unchanged,
    languages: countLanguages(languages),
    seconds: Number(seconds.toFixed(3)),
    bytes,
    space,
    ...(restricted.length > 0 && {
      restricted: restricted.map(({ access, version, counts }) => ({ access, version, counts })),
    }),
  };
}

function summaryText(summary: Summary): string {
  const { index, version, model, tokens, files, unchangedFiles, counts, unchanged, seconds, bytes, space } =
    summary;
  const sizes = Object.entries(bytes).map(([name, length]) => `${name} ${size(length)}`);
  return [
    `${index}: ${counted(files, 'file')} (${unchangedFiles} unchanged), ${counted(counts.documents, 'document')}, ` +
      `${counted(counts.passages, 'passage')} (${unchanged} unchanged), ${counted(counts.sentences, 'sentence')}, ${counted(counts.terms, 'term')}`,
    `${seconds.toFixed(1)} s, ${(counts.passages / seconds).toFixed(1)} passages/s`,
    sizes.join(', '),
    `version ${version}, model ${model}, ${tokens ? 'with' : 'without'} token states`,
    ...(summary.restricted ?? []).map(
      ({ access = [], counts }) =>
        `Only for ${access.join(', ')}: ${counted(counts.documents, 'document')}, ${counted(counts.passages, 'passage')}`,
    ),
    ...(space ? [describeBundle(space)] : []),
  ].join('\n');
}

/** Milliseconds without a change before a build starts: editors write a file in several steps. */
const QUIET = 300;
/** Milliseconds after a change until a build starts in any case: some files change all the time. */
const PATIENCE = 3000;

/** Builds again whenever a file of a folder changes. Prints failures, and goes on. Never returns. */
async function watchSources(sources: readonly Source[], build: () => Promise<void>): Promise<never> {
  const paths = sources.flatMap((source) => (source instanceof FolderSource ? [source.path] : []));
  if (paths.length === 0) throw new UsageError('--watch needs a file or folder as source.');
  console.error(`Watching ${paths.join(', ')}. Press Ctrl-C to stop.`);
  let changes = 0;
  watch(paths, { ignoreInitial: true }).on('all', () => changes++);
  for (let built = 0; ; ) {
    await setTimeout(QUIET);
    if (changes === built) continue;
    const end = performance.now() + PATIENCE;
    do {
      built = changes;
      await setTimeout(QUIET);
    } while (changes !== built && performance.now() < end);
    // A change during a build starts another.
    built = changes;
    await build().catch((error) => console.error(forTerminal(messageOf(error))));
  }
}
