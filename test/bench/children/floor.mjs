// The minimum cost of a question in Node with ONNX Runtime: its library, one session and one run.
import { createRequire } from 'node:module';

const { library, encoder, rows, columns, optimize } = JSON.parse(process.argv[2]);
const { InferenceSession } = createRequire(import.meta.url)(library);
const session = new InferenceSession();
session.loadModel(encoder, {
  graphOptimizationLevel: optimize ? 'all' : 'disabled',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  enableCpuMemArena: false,
});
const tensor = {
  type: 'float32',
  data: new Float32Array(rows * columns).fill(0.01),
  dims: [1, rows, columns],
};
const outputs = session.run(
  { [session.inputNames[0]]: tensor },
  Object.fromEntries(session.outputNames.map((name) => [name, null])),
  {},
);
if (outputs[session.outputNames[0]].data.length !== columns)
  throw new Error('The encoder returned no vector.');
const answered = Date.now();
const { report } = await import('./report.mjs');
report(answered);
