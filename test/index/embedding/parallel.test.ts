import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileModel } from '../../../index/compile/compile.ts';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { ParallelEmbedder } from '../../../index/embedding/parallel.ts';
import { describeFile } from '../../../index/format/checks.ts';
import { readCompiledModel, withChecksum } from '../../../index/format/compiled-model.ts';
import { forkModule } from '../../../index/format/installation.ts';
import { tinyModel, writeModel } from '../../fixtures/models/tiny-model.ts';

const into = mkdtempSync(join(tmpdir(), 'polyseek-compiled-'));
let compiled: string;
beforeAll(() => {
  const source = writeModel(tinyModel());
  compiled = compileModel(source, { into });
  rmSync(source, { recursive: true });
});
afterAll(() => rmSync(into, { recursive: true }));

test.each([1, 3])('returns the right vector for each of many texts, with %d processes', async (workers) => {
  const texts = Array.from({ length: 60 }, (_, i) => 'the end of la '.repeat(i % 7) + 'die '.repeat(i));
  const single = await Embedder.open(compiled, { verify: true });
  const embedder = new ParallelEmbedder(compiled, workers);
  try {
    const vectors = await Promise.all(texts.map((text) => embedder.embed(text)));
    for (const [i, text] of texts.entries()) expect(vectors[i]).toEqual(await single.embed(text));
  } finally {
    embedder.close();
  }
});

test('refuses a damaged model before starting a process', () => {
  const bytes = readFileSync(join(compiled, 'rows.bin'));
  bytes[bytes.length - 1]! ^= 1;
  const dir = mkdtempSync(join(into, 'damaged-'));
  for (const file of ['model.json', 'tokenizer.bin', 'encoder.onnx', 'weights.bin'])
    writeFileSync(join(dir, file), readFileSync(join(compiled, file)));
  writeFileSync(join(dir, 'rows.bin'), bytes);
  expect(() => new ParallelEmbedder(dir, 1)).toThrow(/rows\.bin is damaged: it has the checksum/);
});

test('reports why a model cannot be opened, for the first text and later ones', async () => {
  const encoder = Buffer.from('no graph');
  const { checksum: _, ...model } = readCompiledModel(compiled, false);
  model.files['encoder.onnx'] = describeFile(encoder);
  const dir = mkdtempSync(join(into, 'no-graph-'));
  for (const file of ['tokenizer.bin', 'rows.bin', 'weights.bin'])
    writeFileSync(join(dir, file), readFileSync(join(compiled, file)));
  writeFileSync(join(dir, 'encoder.onnx'), encoder);
  writeFileSync(join(dir, 'model.json'), JSON.stringify(withChecksum(model)));

  const embedder = new ParallelEmbedder(dir, 2);
  try {
    for (let i = 0; i < 3; i++)
      await expect(embedder.embed('the end')).rejects.toThrow(
        /encoder\.onnx is damaged: .*\. Run npx polyseek index again\.$/,
      );
  } finally {
    embedder.close();
  }
});

test('reports the end of a process, for waiting texts and later ones', async () => {
  const { NODE_OPTIONS } = process.env;
  process.env.NODE_OPTIONS = '--no-such-option';
  const embedder = new ParallelEmbedder(compiled, 1);
  // The first text starts the process.
  const waiting = Array.from({ length: 3 }, () => embedder.embed('the end'));
  if (NODE_OPTIONS === undefined) delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = NODE_OPTIONS;
  const message = 'An embedding process ended with 9. Start the command again.';
  for (const result of await Promise.allSettled(waiting))
    expect(result).toMatchObject({ status: 'rejected', reason: { message } });
  await expect(embedder.embed('the end')).rejects.toThrow(message);
  embedder.close();
});

test('a process ends silently if the command that started it ends first', async () => {
  const url = new URL('../../../index/embedding/worker.ts', import.meta.url);
  const worker = forkModule(url, [compiled], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let printed = '';
  worker.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const exited = once(worker, 'exit');
  const send = (id: number) => worker.send({ id, text: 'the end of la '.repeat(30), byToken: false });
  send(0);
  await once(worker, 'message');
  for (let id = 1; id < 100; id++) send(id);
  // Closes both directions at once, as the end of this process would.
  worker.disconnect();
  await exited;
  expect({ printed, code: worker.exitCode }).toEqual({ printed: '', code: 0 });
});
