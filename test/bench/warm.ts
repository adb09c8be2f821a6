import { join, resolve } from 'node:path';
import { questionMaker } from './corpus.ts';
import { searchEvent } from './event.ts';
import { type Figure, shown } from './figures.ts';
import type { Prepared } from './prepare.ts';
import { aside, type Contestant, inTurns, type Latency, timedLines, timedModule } from './processes.ts';
import type { Section, Table } from './report.ts';
import { loadFigures, loadTable, serverLoads } from './server.ts';

/** Tokens of the questions, without begin, end and prefix. */
const TOKENS = [4, 12, 40, 200];
/** The question length of the goals. */
const USUAL = 12;
const SEED = 12;

type Measured = Record<
  'polyseek' | 'repeated' | 'embedding' | 'plainEmbedding' | 'plain' | 'orama',
  Latency
> & {
  cEmbedding?: Latency;
};

interface OfLength extends Measured {
  tokens: number;
}

/** Measures warm latencies of all contestants in turns, then their servers under load. */
export async function warm(
  prepared: Prepared,
  { calls, seconds }: { calls: number; seconds: number },
): Promise<Section> {
  const lengths = await aside(() => latencies(prepared, calls));
  const loads = await aside(() => serverLoads(prepared, seconds));
  return {
    name: 'warm',
    figures: [...lengths.flatMap(figuresOf), ...loadFigures(loads)],
    tables: [latencyTable(lengths, calls), loadTable(loads, seconds)],
    measured: { lengths, loads },
  };
}

/** Each question is asked once, so that no cache answers, except for `repeated`. */
async function latencies(prepared: Prepared, calls: number): Promise<OfLength[]> {
  const question = await questionMaker(prepared.countTokens, SEED);
  const polyseek = timedModule(join(prepared.polyseek, 'lambda.mjs'));
  const embedding = timedModule(prepared.embed, {
    argument: JSON.stringify({ model: resolve(prepared.polyseek, 'model') }),
  });
  const plain = timedModule(join(prepared.plain, 'index.mjs'));
  const orama = timedModule(join(prepared.orama, 'index.mjs'));
  const cEngine = prepared.cEngine && timedLines(prepared.cEngine);
  const found: OfLength[] = [];
  try {
    for (const tokens of TOKENS) {
      const text = () => question(tokens);
      const event = () => searchEvent(text());
      const same = event();
      const contestants: Record<string, Contestant> = {
        polyseek: { process: polyseek, call: 'handler', argument: event },
        repeated: { process: polyseek, call: 'handler', argument: () => same },
        embedding: { process: embedding, call: 'embed', argument: text },
        plainEmbedding: { process: plain, call: 'embed', argument: text },
        plain: { process: plain, call: 'handler', argument: event },
        orama: { process: orama, call: 'handler', argument: event },
        ...(cEngine && { cEmbedding: { process: cEngine, call: 'embed', argument: text } }),
      };
      found.push({ tokens, ...((await inTurns(contestants, calls)) as Measured) });
    }
  } finally {
    await Promise.all([polyseek, embedding, plain, orama, cEngine].map((each) => each?.stop()));
  }
  return found;
}

function figuresOf({ tokens, ...of }: OfLength): Figure[] {
  const name = (rest: string) => `${tokens} tokens, p50: ${rest}`;
  const isUsual = tokens === USUAL;
  return [
    {
      name: name("whole answer against the plain function's embedding alone"),
      value: of.polyseek.p50 / of.plainEmbedding.p50,
      unit: 'ratio',
      goal: isUsual ? 0.75 : undefined,
    },
    {
      name: name("whole answer against the plain function's"),
      value: of.polyseek.p50 / of.plain.p50,
      unit: 'ratio',
    },
    { name: name("whole answer against Orama's"), value: of.polyseek.p50 / of.orama.p50, unit: 'ratio' },
    ...(of.cEmbedding
      ? [
          {
            name: name("embedding against the C engine's"),
            value: of.embedding.p50 / of.cEmbedding.p50,
            unit: 'ratio' as const,
            goal: isUsual ? 1 / 5 : undefined,
          },
        ]
      : []),
    ...(isUsual
      ? [{ name: name('repeated question'), value: of.repeated.p50, unit: 'ms' as const, goal: 1 }]
      : []),
  ];
}

function latencyTable(lengths: readonly OfLength[], calls: number): Table {
  const row = (name: string, key: keyof Measured) => [
    name,
    ...lengths.map((of) => {
      const latency = of[key];
      return latency ? `${shown(latency.p50, 'ms')}, ${shown(latency.p99, 'ms')}` : '-';
    }),
  ];
  return {
    title: `Warm, one core, ${calls} calls each in turns, every question another: p50, p99`,
    head: ['', ...lengths.map(({ tokens }) => `${tokens} tokens`)],
    rows: [
      row('polyseek: embedding, search, answer', 'polyseek'),
      row('polyseek, the same question again', 'repeated'),
      row('polyseek: embedding alone', 'embedding'),
      row('plain: embedding alone', 'plainEmbedding'),
      row('plain: embedding, search, answer', 'plain'),
      row('Orama: embedding, hybrid search, answer', 'orama'),
      row('C engine: embedding alone', 'cEmbedding'),
    ],
  };
}
