import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { main } from '../../index/cli/main.ts';
import { buildDemo } from '../../index/local.ts';
import { packageFunction } from '../../index/package.ts';
import { type ColdStart, coldStart } from './cold.ts';
import { buildPlain } from './plain/build.ts';

const FOLDER = 'build/bench';
const QUESTION = 'May I be imprisoned without a trial?';

const command = new Command('npm run bench --')
  .description(
    'Start the packaged function and the plain one cold, in turns, on one core: time to the first answer and peak memory.',
  )
  .option('--rounds <n>', 'cold starts of each', '15')
  .option('--json', 'print JSON');

await main(async () => {
  command.parse();
  const { rounds, json } = command.opts<{ rounds: string; json?: boolean }>();
  const [index, polyseek, plain] = ['index', 'polyseek', 'plain'].map((name) => join(FOLDER, name));
  if (!existsSync(index!)) await buildDemo(index!);
  await packageFunction(index!, polyseek!);
  if (!existsSync(plain!)) await buildPlain(index!, plain!);

  const runs: Record<'polyseek' | 'plain', ColdStart[]> = { polyseek: [], plain: [] };
  // The first of each only warms the page cache, and is not counted.
  for (let round = 0; round <= Number(rounds); round++) {
    for (const [name, folder] of [
      ['polyseek', polyseek!],
      ['plain', plain!],
    ] as const) {
      const run = coldStart(join(folder, 'index.mjs'), QUESTION);
      if (round > 0) runs[name].push(run);
    }
  }
  const report = {
    machine: `${cpus()[0]?.model}, one core`,
    node: process.version,
    rounds: Number(rounds),
    ...summary(runs),
  };
  console.log(json ? JSON.stringify(report, null, 2) : table(report));
});

type Summary = Record<'polyseek' | 'plain', Record<keyof ColdStart, Quartiles>>;
type Quartiles = [lower: number, median: number, upper: number];

function summary({ polyseek, plain }: Record<'polyseek' | 'plain', ColdStart[]>): Summary {
  const of = (runs: ColdStart[]) => ({
    ms: quartiles(runs.map(({ ms }) => ms)),
    rssMb: quartiles(runs.map(({ rssMb }) => rssMb)),
  });
  return { polyseek: of(polyseek), plain: of(plain) };
}

function quartiles(values: number[]): Quartiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return [at(0.25), at(0.5), at(0.75)];
}

function table({
  machine,
  node,
  rounds,
  polyseek,
  plain,
}: Summary & { machine: string; node: string; rounds: number }): string {
  const show = ([lower, median, upper]: Quartiles, unit: string) =>
    `${median.toFixed(0)} ${unit} (${lower.toFixed(0)}-${upper.toFixed(0)})`.padEnd(22);
  const ratio = (key: keyof ColdStart) => `1/${(plain[key][1] / polyseek[key][1]).toFixed(1)}`;
  return [
    `${machine}, Node ${node}, ${rounds} cold starts of each in turns: median (quartiles)`,
    `${''.padEnd(24)}${'polyseek'.padEnd(22)}${'plain'.padEnd(22)}ratio`,
    `${'spawn to first answer'.padEnd(24)}${show(polyseek.ms, 'ms')}${show(plain.ms, 'ms')}${ratio('ms')}`,
    `${'peak memory'.padEnd(24)}${show(polyseek.rssMb, 'MB')}${show(plain.rssMb, 'MB')}${ratio('rssMb')}`,
  ].join('\n');
}
