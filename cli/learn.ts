import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tokenCounter } from '../index/build.ts';
import { compileModel, type Learned } from '../index/compile/compile.ts';
import { learnNeutral } from '../index/compile/language-axes.ts';
import { memoize } from '../index/embedding/memoize.ts';
import { ParallelEmbedder } from '../index/embedding/parallel.ts';
import { fitLogistic } from '../index/evaluate/metrics.ts';
import { unanswerable } from '../index/evaluate/outcomes.ts';
import { type EvaluationSet, readSet } from '../index/evaluate/set.ts';
import type { Mode } from '../index/format/mode.ts';
import { main, Tool } from './kit/command.ts';
import { jsonOption, modelOption } from './kit/flags.ts';

const command = new Tool(
  'npm run learn --',
  "Learn language-specific directions in a model's embeddings, and remove them. With evaluation sets, also calibrate the confidence.",
)
  .argument(
    '[set...]',
    'folders of evaluation sets; calibration hides every second article, so half of the questions have no answer',
  )
  .addOption(modelOption('model folder; the results are written to its polyseek.json'))
  .addOption(jsonOption())
  .examples('npm run learn -- test/quality/sets/*/', 'npm run learn -- --model build/model-sources/other')
  .action(async (folders: string[], { model, json }: { model: string; json?: boolean }) => {
    // Learning takes minutes, so each result is reported when it is ready.
    const report = json ? console.error : console.log;
    const sets = await Promise.all(folders.map(readSet));
    const file = join(model, 'polyseek.json');
    const learned: Learned = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Learned) : {};

    const plain = new ParallelEmbedder(compileModel(model, { neutral: false }));
    const { neutral, languages } = await learnNeutral(plain).finally(() => plain.close());
    learned.neutral = neutral;
    writeFileSync(file, serialized(learned));
    report(`Learned ${neutral.axes.length} language axes from ${languages} languages.`);
    if (sets.length > 0) {
      learned.calibration = await calibrate(model, sets, report);
      writeFileSync(file, serialized(learned));
    }
    const { axes } = neutral;
    if (json)
      console.log(
        JSON.stringify({ file, axes: axes.length, languages, calibration: learned.calibration }, null, 2),
      );
  });

await main(() => command.parseAsync());

/** Fits the curve of each mode that turns a score into a confidence, from questions of which half have no answer. */
async function calibrate(
  model: string,
  sets: EvaluationSet[],
  report: (line: string) => void,
): Promise<Learned['calibration']> {
  const compiled = compileModel(model);
  const parallel = new ParallelEmbedder(compiled);
  try {
    const embedder = memoize(parallel);
    const curves: Learned['calibration'] = {};
    for (const mode of ['hybrid', 'semantic', 'lexical'] satisfies Mode[]) {
      const builder = { embedder, countTokens: tokenCounter(compiled), mode };
      const outcomes = [];
      for (const [i, set] of sets.entries()) {
        outcomes.push(...(await unanswerable(builder, set)));
        // Questions in another language than their answer score lower. A quarter of the questions cover this case.
        const other = sets[(i + 1) % sets.length]!;
        if (other !== set)
          outcomes.push(
            ...(await unanswerable(
              builder,
              other,
              set.queries.filter((_, n) => n % 3 === 0),
            )),
          );
      }
      const { slope, intercept } = fitLogistic(
        outcomes.map(({ score }) => score),
        outcomes.map(({ correct }) => correct),
      );
      curves[mode] = { slope: Number(slope.toFixed(3)), intercept: Number(intercept.toFixed(3)) };
      report(
        `${mode}: slope ${slope.toFixed(3)}, intercept ${intercept.toFixed(3)}, from ${outcomes.length} questions.`,
      );
    }
    return curves;
  } finally {
    parallel.close();
  }
}

/** JSON with one axis per line. */
function serialized({ neutral, calibration }: Learned): string {
  const lines = (rows: number[][]) => rows.map((row) => `      ${JSON.stringify(row)}`).join(',\n');
  const parts = [
    ...(neutral
      ? [
          `"neutral": {\n    "axes": [\n${lines(neutral.axes)}\n    ],\n    "mean":\n${lines([neutral.mean])}\n  }`,
        ]
      : []),
    ...(calibration ? [`"calibration": ${JSON.stringify(calibration)}`] : []),
  ];
  return `{\n  ${parts.join(',\n  ')}\n}\n`;
}
