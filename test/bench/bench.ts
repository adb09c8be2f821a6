import { cpSync, existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { numberOption } from '../../index/cli/flags.ts';
import { main } from '../../index/cli/main.ts';
import { buildDemo } from '../../index/local.ts';
import { bundle, packageFunction } from '../../index/package/package.ts';
import { coldStart, timedRun } from './cold.ts';
import { buildPlain } from './plain/build.ts';

const FOLDER = 'build/bench';
const QUESTION = 'May I be imprisoned without a trial?';

const command = new Command('npm run bench --')
  .description(
    'Start the packaged function and the plain one cold, in turns, on one core: time to the first answer and peak memory.',
  )
  .option('--rounds <n>', 'cold starts of each', numberOption('--rounds', 1, 1000, 'a whole number'), 15)
  .option('--json', 'print JSON');

/** What is measured, each figure once a round: milliseconds, or MB. */
interface Figures<T> {
  /** Spawning Node to the first answer, and the process's peak memory. */
  polyseek: { ms: T; mb: T };
  plain: { ms: T; mb: T };
  /** Importing and opening the compiled model and embedding a question; the same for the bare engine. */
  model: { ms: T };
  engine: { ms: T };
}

await main(async () => {
  command.parse();
  const { rounds, json } = command.opts<{ rounds: number; json?: boolean }>();
  const folder = (name: string) => join(FOLDER, name);
  const [index, polyseek, opening, plain] = [
    folder('index'),
    folder('polyseek'),
    folder('opening'),
    folder('plain'),
  ];
  if (!existsSync(index)) await buildDemo(index);
  await packageFunction(index, polyseek);
  await bundle({ model: source('./model.ts'), engine: source('./engine.ts') }, opening);
  cpSync(join(polyseek, 'native'), join(opening, 'native'), { recursive: true });
  if (!existsSync(plain)) await buildPlain(index, plain);

  const runs: Figures<number[]> = {
    polyseek: { ms: [], mb: [] },
    plain: { ms: [], mb: [] },
    model: { ms: [] },
    engine: { ms: [] },
  };
  // The first round only warms the page cache, and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const [name, at] of [
      ['polyseek', join(polyseek, 'lambda.mjs')],
      ['plain', join(plain, 'index.mjs')],
    ] as const) {
      const { ms, rssMb } = coldStart(at, QUESTION);
      if (round > 0) runs[name].ms.push(ms);
      if (round > 0) runs[name].mb.push(rssMb);
    }
    for (const name of ['model', 'engine'] as const) {
      const ms = timedRun(join(opening, `${name}.mjs`), join(polyseek, 'model'));
      if (round > 0) runs[name].ms.push(ms);
    }
  }
  const of = ({ ms, mb }: { ms: number[]; mb: number[] }) => ({ ms: quartiles(ms), mb: quartiles(mb) });
  const figures: Figures<Quartiles> = {
    polyseek: of(runs.polyseek),
    plain: of(runs.plain),
    model: { ms: quartiles(runs.model.ms) },
    engine: { ms: quartiles(runs.engine.ms) },
  };
  const about = `${cpus()[0]?.model}, one core, Node ${process.version}, ${rounds} rounds in turns: median (quartiles)`;
  console.log(json ? JSON.stringify({ about, ...figures }, null, 2) : `${about}\n${table(figures)}`);
});

type Quartiles = [lower: number, median: number, upper: number];

function source(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function quartiles(values: number[]): Quartiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return [at(0.25), at(0.5), at(0.75)];
}

function table({ polyseek, plain, model, engine }: Figures<Quartiles>): string {
  const cell = ([lower, median, upper]: Quartiles, unit: string) =>
    `${median.toFixed(0)} ${unit} (${lower.toFixed(0)}-${upper.toFixed(0)})`.padEnd(22);
  const row = (name: string, unit: string, own: Quartiles, other: Quartiles, ratio: string) =>
    name.padEnd(34) + cell(own, unit) + cell(other, unit) + ratio;
  const part = (own: Quartiles, other: Quartiles) => `1/${(other[1] / own[1]).toFixed(1)}`;
  return [
    `${''.padEnd(34)}${'polyseek'.padEnd(22)}${'plain'.padEnd(22)}ratio`,
    row('spawn to first answer', 'ms', polyseek.ms, plain.ms, part(polyseek.ms, plain.ms)),
    row('peak memory', 'MB', polyseek.mb, plain.mb, part(polyseek.mb, plain.mb)),
    `\n${''.padEnd(34)}${'polyseek'.padEnd(22)}${'bare engine'.padEnd(22)}ratio`,
    row(
      'open the model, embed a question',
      'ms',
      model.ms,
      engine.ms,
      (model.ms[1] / engine.ms[1]).toFixed(2),
    ),
  ].join('\n');
}
