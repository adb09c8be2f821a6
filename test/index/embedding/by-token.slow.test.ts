import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileModel } from '../../../index/compile/compile.ts';
import { Embedder, type QuestionEmbedder } from '../../../index/embedding/embedder.ts';
import { memoize } from '../../../index/embedding/memoize.ts';
import { ParallelEmbedder } from '../../../index/embedding/parallel.ts';
import { centered, compress, storedTokens, tokenWeights } from '../../../index/embedding/token-embedder.ts';
import { Tokenizer } from '../../../index/embedding/tokenizer.ts';
import { interleave, readTokenCodebook } from '../../../index/format/tokens-file.ts';
import { defaultModel, dot, onnxModel, temporaryFolder } from '../../fixtures/index.ts';
import { tinyModel, writeModel } from '../../fixtures/models/tiny-model.ts';

const { dir, model } = defaultModel();
const { dimensions } = model;
const folder = temporaryFolder();
const into = join(folder, 'models');
const codebook = readTokenCodebook(join(dir, 'token-codes.bin'), dimensions);
const tokenizer = new Tokenizer(readFileSync(join(dir, 'tokenizer.bin')));

const TEXTS = [
  'Who may be held in slavery?',
  'Wie hoch ist der höchste Berg der Alpen?',
  'Река впадает в море недалеко от города.',
  'متى ولد الشاعر؟',
  'सभी मनुष्यों को गौरव और अधिकारों के मामले में समानता प्राप्त है।',
  'ใครเป็นผู้เขียน',
  '长城有多长？',
  'すべての人間は生まれながらにして自由である。',
  '모든 인간은 태어날 때부터 자유롭다.',
  'Türkiye Cumhuriyeti demokratik bir devlettir.',
  'ok',
  '👍',
  '',
  '\u200b',
  // Alone, the joiner and the accent disappear. After the prefix, they are a token.
  '\u200d\u0301',
  'The river flows into the sea near the town. '.repeat(40),
];

let embedder: Embedder;
let parallel: ParallelEmbedder;
beforeAll(async () => {
  embedder = await Embedder.open(dir, { verify: false });
  parallel = new ParallelEmbedder(dir, 2);
});
afterAll(() => parallel.close());

/** The part of a list for each token. */
const rowsOf = (states: Float32Array) =>
  Array.from({ length: states.length / dimensions }, (_, i) =>
    states.subarray(i * dimensions, (i + 1) * dimensions),
  );

describe('the default model', () => {
  test('returns the vectors of `embed` to the bit', async () => {
    for (const text of TEXTS) {
      expect((await embedder.byToken!.question(text)).vector, text).toEqual(
        await embedder.embed(text, 'query'),
      );
      expect((await embedder.byToken!.passage(text)).vector, text).toEqual(
        await embedder.embed(text, 'passage'),
      );
    }
  });

  test('returns the vector of a text that exceeds the model, and the states of its start', async () => {
    const long = 'the lamp '.repeat(400);
    const question = await embedder.byToken!.question(long);
    expect(question.vector).toEqual(await embedder.embed(long, 'query'));
    const count = model.maxTokens - embedder.tokens('', 'query');
    expect([question.states.length / dimensions, question.weights.length]).toEqual([count, count]);
    const passage = await embedder.byToken!.passage(long);
    expect(passage.vector).toEqual(await embedder.embed(long, 'passage'));
    expect(passage.codes.length).toBeLessThanOrEqual((count * dimensions) / 4);
  });

  test('returns a centered state and a weight for each token of a question', async () => {
    for (const text of TEXTS) {
      const { states, weights } = await embedder.byToken!.question(text);
      const count = embedder.tokens(text, 'query') - embedder.tokens('', 'query');
      expect([states.length / dimensions, weights.length]).toEqual([count, count]);
      for (const state of rowsOf(states)) expect(Math.hypot(...state)).toBeCloseTo(1, 5);
      if (count > 0) expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      const raw = await embedder.rawStates(text, 'query');
      expect(states).toEqual(centered(raw.slice(), codebook.centers.query));
    }
  });

  test('returns the codes of the stored tokens of a passage, in order', async () => {
    for (const text of TEXTS) {
      const { codes } = await embedder.byToken!.passage(text);
      const raw = await embedder.rawStates(text, 'passage');
      const states = rowsOf(centered(raw.slice(), codebook.centers.passage));
      const ids = tokenizer.pieces(`passage: ${text}`).slice(-states.length || Number.POSITIVE_INFINITY);
      const stored = storedTokens(Float32Array.from(ids, (id) => tokenizer.information(id)));
      const expected = stored.map((token) => compress(states[token]!.slice(), codebook));
      expect(Buffer.from(codes)).toEqual(Buffer.concat(expected));
      expect(embedder.byToken!.places(text, 'passage')).toHaveLength(codes.length / (dimensions / 4));
    }
  });

  test('has a place in the text for each state', async () => {
    for (const text of TEXTS) {
      const places = embedder.byToken!.places(text, 'query');
      expect(places).toHaveLength((await embedder.byToken!.question(text)).weights.length);
      for (const [start, end] of places) {
        expect(start).toBeGreaterThanOrEqual(0);
        expect(end).toBeGreaterThanOrEqual(start);
        expect(end).toBeLessThanOrEqual(text.length);
      }
    }
    expect(embedder.byToken!.places('see the lamp', 'query')).toEqual([
      [0, 3],
      [4, 7],
      [8, 12],
    ]);
  });

  test('compares a question without tokens', async () => {
    const { states, weights } = await embedder.byToken!.question('\u200b');
    expect([states.length, weights.length]).toEqual([0, 0]);
    const { codes } = await embedder.byToken!.passage('The lamp was lit at dusk.');
    const counts = Uint32Array.of(codes.length / (dimensions / 4));
    const found = await embedder.byToken!.match(states, { codes: interleave(codes, dimensions / 4), counts });
    expect(found).toEqual({ tokens: 0, best: new Float32Array(0) });
  });

  test('finds the words of a translation', async () => {
    const text = 'Los billetes de metro se venden en las máquinas de cada estación.';
    const { states } = await embedder.byToken!.question('biglietti');
    const { codes } = await embedder.byToken!.passage(text);
    const counts = Uint32Array.of(codes.length / (dimensions / 4));
    const { best, tokens } = await embedder.byToken!.match(states, {
      codes: interleave(codes, dimensions / 4),
      counts,
    });
    const places = embedder.byToken!.places(text, 'passage');
    const found = Array.from({ length: tokens }, (_, token) => text.slice(...places[best[2 * token + 1]!]!));
    for (const one of found) expect('billetes').toContain(one);
  });
});

test('several processes return the same', async () => {
  for (const [i, found] of (
    await Promise.all(TEXTS.map((text) => parallel.byToken!.question(text)))
  ).entries())
    expect(found).toEqual(await embedder.byToken!.question(TEXTS[i]!));
  for (const [i, found] of (
    await Promise.all(TEXTS.map((text) => parallel.byToken!.passage(text)))
  ).entries())
    expect(found).toEqual(await embedder.byToken!.passage(TEXTS[i]!));
  const { states } = await embedder.byToken!.question(TEXTS[0]!);
  const { codes } = await embedder.byToken!.passage(TEXTS[1]!);
  const passages = {
    codes: interleave(codes, dimensions / 4),
    counts: Uint32Array.of(codes.length / (dimensions / 4)),
  };
  expect(await parallel.byToken!.match(states, passages)).toEqual(
    await embedder.byToken!.match(states, passages),
  );
  for (const kind of ['query', 'passage'] as const)
    expect(parallel.byToken!.places(TEXTS[4]!, kind)).toEqual(embedder.byToken!.places(TEXTS[4]!, kind));
});

test('a memoizing embedder returns the same, and embeds each text of a kind once', async () => {
  const asked: string[] = [];
  const counting: QuestionEmbedder = {
    model,
    tokens: (text, kind) => embedder.tokens(text, kind),
    embed: (text, kind) => {
      asked.push(`embed ${kind} ${text}`);
      return embedder.embed(text, kind);
    },
    byToken: {
      ...embedder.byToken!,
      question: (text) => {
        asked.push(`question ${text}`);
        return embedder.byToken!.question(text);
      },
      passage: (text) => {
        asked.push(`passage ${text}`);
        return embedder.byToken!.passage(text);
      },
    },
  };
  const memoized = memoize(counting);
  for (let i = 0; i < 2; i++) {
    expect(await memoized.embed('lamp', 'query')).toEqual(await embedder.embed('lamp', 'query'));
    expect(await memoized.byToken!.question('lamp')).toEqual(await embedder.byToken!.question('lamp'));
    expect(await memoized.embed('lamp', 'passage')).toEqual(await embedder.embed('lamp', 'passage'));
    expect(await memoized.byToken!.passage('lamp')).toEqual(await embedder.byToken!.passage('lamp'));
    expect(await memoized.embed('lamp')).toEqual(await embedder.embed('lamp'));
  }
  expect(asked).toEqual(['question lamp', 'embed passage lamp', 'passage lamp', 'embed undefined lamp']);
});

describe('a model that ONNX Runtime runs', () => {
  test('returns nearly the same states, and mostly the same codes', async () => {
    const onnx = await Embedder.open(onnxModel().dir, { verify: true });
    expect(onnx.model.tokens).toEqual(model.tokens);
    let [same, all] = [0, 0];
    for (const text of TEXTS) {
      const [own, other] = [await embedder.byToken!.question(text), await onnx.byToken!.question(text)];
      expect(other.weights).toEqual(own.weights);
      const states = rowsOf(own.states);
      rowsOf(other.states).forEach((state, i) => {
        expect(dot(state, states[i]!), `token ${i} of ${text}`).toBeGreaterThan(0.99);
      });
      const [codes, others] = [await embedder.byToken!.passage(text), await onnx.byToken!.passage(text)];
      expect(others.codes).toHaveLength(codes.codes.length);
      others.codes.forEach((code, i) => {
        if (code === codes.codes[i]) same++;
        all++;
      });
      expect((await onnx.byToken!.question(text)).vector).toEqual(await onnx.embed(text, 'query'));
    }
    expect(same / all).toBeGreaterThan(0.92);
  });
});

test('a model without learned token states has no byToken, on one thread or several', async () => {
  const source = writeModel(tinyModel());
  const tiny = compileModel(source, { into });
  rmSync(source, { recursive: true });
  expect((await Embedder.open(tiny, { verify: true })).byToken).toBeUndefined();
  const several = new ParallelEmbedder(tiny, 1);
  expect(several.byToken).toBeUndefined();
  expect(memoize(several).byToken).toBeUndefined();
  several.close();
});

describe('tokens', () => {
  test('of a passage are stored from 9 nats', () => {
    expect(storedTokens(Float32Array.of(8.99, 9, 0, 20))).toEqual([1, 3]);
  });

  test('are all stored if none is informative', () => {
    expect(storedTokens(Float32Array.of(1, 8.9, 0))).toEqual([0, 1, 2]);
    expect(storedTokens(new Float32Array(0))).toEqual([]);
  });

  test('of a question have weights by their information beyond 7 nats', () => {
    const weights = tokenWeights(Float32Array.of(7, 10, 3));
    [0.05, 3.05, 0.05].forEach((weight, i) => {
      expect(weights[i]).toBeCloseTo(weight / 3.15, 6);
    });
    expect([...tokenWeights(Float32Array.of(0, 0))]).toEqual([0.5, 0.5]);
    expect(tokenWeights(new Float32Array(0))).toHaveLength(0);
  });

  test('that equal the center have a state of zeros', () => {
    expect([...centered(Float32Array.of(1, 2, 4, 6), Float32Array.of(1, 2))]).toEqual([
      0,
      0,
      expect.closeTo(0.6, 6),
      expect.closeTo(0.8, 6),
    ]);
  });
});
