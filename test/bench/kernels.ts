import { join, resolve } from 'node:path';
import { loadLibrary } from '../../index/engine/load-native.ts';
import { questionMaker } from './corpus.ts';
import { shown } from './figures.ts';
import type { Prepared } from './prepare.ts';
import { aside, type Contestant, inTurns, timedModule } from './processes.ts';
import type { Section } from './report.ts';

/** Tokens of the questions, without begin, end and prefix. */
const TOKENS = 12;
const SEED = 13;

/** Compares embedding by each kernel of this processor with the plain function's embedding, in turns. */
export async function kernels(prepared: Prepared, calls: number): Promise<Section> {
  const question = await questionMaker(prepared.countTokens, SEED);
  const { kernels: names } = await loadLibrary();
  const model = resolve(prepared.polyseek, 'model');
  const own = names.map((name) => ({
    name,
    process: timedModule(prepared.embed, { argument: JSON.stringify({ model, kernel: name }) }),
  }));
  const plain = timedModule(join(prepared.plain, 'index.mjs'));
  const argument = () => question(TOKENS);
  const contestants: Record<string, Contestant> = {
    plainFunction: { process: plain, call: 'embed', argument },
    ...Object.fromEntries(own.map(({ name, process }) => [name, { process, call: 'embed', argument }])),
  };
  try {
    const found = await aside(() => inTurns(contestants, calls));
    const reference = found.plainFunction!.p50;
    const rows = own.map(({ name }) => {
      const { p50, p99 } = found[name]!;
      return { name, p50, p99, ratio: p50 / reference };
    });
    return {
      name: 'kernels',
      figures: rows.map(({ name, ratio }) => ({
        name: `${TOKENS} tokens, p50: embedding by ${name} against the plain function's`,
        value: ratio,
        unit: 'ratio',
      })),
      tables: [
        {
          title: `Embedding ${TOKENS} tokens by each kernel, one core, ${calls} calls each in turns`,
          head: ['kernel', 'p50, p99', "against the plain function's embedding"],
          rows: rows.map(({ name, p50, p99, ratio }) => [
            name,
            `${shown(p50, 'ms')}, ${shown(p99, 'ms')}`,
            shown(ratio, 'ratio'),
          ]),
        },
      ],
      measured: found,
    };
  } finally {
    await Promise.all([plain, ...own.map(({ process }) => process)].map((each) => each.stop()));
  }
}
