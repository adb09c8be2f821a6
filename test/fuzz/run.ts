/**
 * Fuzzes targets: `npm run fuzz -- [TARGET...] [--inputs N] [--seconds N] [--seed N]`, of which
 * `--seconds` limits the time of each. Inputs that reach new code are kept in build/fuzz/corpus/, and inputs that show a
 * defect in build/fuzz/findings/.
 */
import { parseArgs } from 'node:util';
import { prepare, run, TARGETS } from './fuzzer.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    seconds: { type: 'string', default: '0' },
  },
});
const unknown = positionals.find((name) => !TARGETS.includes(name));
if (unknown !== undefined)
  throw new Error(`${unknown} is not a target. The targets are ${TARGETS.join(', ')}.`);

const chosen = positionals.length > 0 ? positionals : TARGETS;
await prepare(chosen);
console.log('target                      inputs   per s  features');
for (const target of chosen) {
  const started = performance.now();
  const { inputs, features, finding } = await run(target, {
    inputs: Number(values.inputs),
    seconds: Number(values.seconds),
    seed: Number(values.seed),
    keep: true,
  });
  const rate = (1000 * inputs) / (performance.now() - started);
  console.log(
    `${target.padEnd(24)} ${String(inputs).padStart(9)} ${rate.toFixed(0).padStart(7)} ${String(features).padStart(9)}`,
  );
  if (finding !== undefined) {
    console.log(finding);
    process.exitCode = 1;
  }
}
