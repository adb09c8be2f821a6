import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { env, pipeline } from '@xenova/transformers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileModel, DEFAULT_MODEL } from '../../../index/compile/compile.ts';
import { Embedder, type TextKind } from '../../../index/embedding/embedder.ts';
import { ParallelEmbedder } from '../../../index/embedding/parallel.ts';
import { onnxModel } from '../../fixtures/index.ts';
import { dot, scaled } from '../../fixtures/models/reference-model.ts';
import { tinyModel, writeModel } from '../../fixtures/models/tiny-model.ts';

const TEXTS = [
  'query: Who may be held in slavery?',
  'passage: Nobody shall be subjected to torture or to cruel, inhuman or degrading treatment.',
  'query: Wie hoch ist der höchste Berg der Alpen?',
  'passage: Le château fut construit au douzième siècle, puis agrandi.',
  'query: ¿Cuándo se fundó la ciudad?',
  'passage: Река впадает в море недалеко от города.',
  'query: متى ولد الشاعر؟',
  'passage: सभी मनुष्यों को गौरव और अधिकारों के मामले में समानता प्राप्त है।',
  'query: 长城有多长？',
  'passage: すべての人間は生まれながらにして自由である。',
  'passage: 모든 인간은 태어날 때부터 자유롭다.',
  'query: Mji mkuu wa Kenya ni upi?',
  'passage: Türkiye Cumhuriyeti demokratik bir devlettir.',
  'passage: Nguyễn Du là tác giả của Truyện Kiều.',
  'query: ใครเป็นผู้เขียน',
];

const into = mkdtempSync(join(tmpdir(), 'polyseek-compiled-'));
const { neutral } = JSON.parse(readFileSync(join(DEFAULT_MODEL, 'polyseek.json'), 'utf8'));
let plain: Embedder;
let shipped: string;
beforeAll(async () => {
  plain = await Embedder.open(compileModel(DEFAULT_MODEL, { neutral: false, into, engine: 'onnx' }), {
    verify: true,
  });
  shipped = onnxModel().dir;
});
afterAll(() => rmSync(into, { recursive: true }));

/** One of several equal parts of a list, as in embedder.ts. */
function slice<T>(list: T[], part: number, parts: number): T[] {
  return list.slice(Math.floor((part * list.length) / parts), Math.floor(((part + 1) * list.length) / parts));
}

function mean(vectors: ArrayLike<number>[]): number[] {
  return scaled(Array.from(vectors[0]!, (_, i) => vectors.reduce((sum, vector) => sum + vector[i]!, 0)));
}

describe('the default model', () => {
  test('without language axes returns the vectors of @xenova/transformers', async () => {
    env.allowRemoteModels = false;
    env.localModelPath = dirname(DEFAULT_MODEL);
    const extract = await pipeline('feature-extraction', 'model');
    for (const text of TEXTS) {
      expect(plain.ids(text), text).toEqual(Array.from(extract.tokenizer(text).input_ids.data, Number));
      const { data } = await extract(text, { pooling: 'mean', normalize: true });
      expect(dot(await plain.embed(text), data as Float32Array), text).toBeGreaterThan(0.9999);
    }
  });

  test('with language axes returns those vectors minus their components along the axes', async () => {
    const embedder = await Embedder.open(shipped, { verify: true });
    for (const text of TEXTS) {
      const whole = await plain.embed(text);
      const left = Array.from(whole);
      for (const axis of neutral.axes as number[][]) {
        const part = dot(whole, axis);
        axis.forEach((value, i) => {
          left[i]! -= part * value;
        });
      }
      const vector = await embedder.embed(text);
      scaled(left).forEach((value, i) => {
        expect(vector[i]).toBeCloseTo(value, 5);
      });
    }
  });

  test('adds the prefix for its kind to a text', async () => {
    const kinds: TextKind[] = ['query', 'passage'];
    for (const kind of kinds) {
      expect(plain.ids('slavery', kind)).toEqual(plain.ids(`${kind}: slavery`));
      expect(await plain.embed('slavery', kind)).toEqual(await plain.embed(`${kind}: slavery`));
    }
  });

  test.runIf(process.env.ALL_RUNS)('embeds the end of a text of 2,000 tokens', async () => {
    const words = Array.from({ length: 2000 }, (_, i) => ['the', 'in', 'la', 'de'][i % 4]!);
    expect(plain.ids(words.join(' '))).toHaveLength(2002);
    const ending = words.with(-1, 'und').with(-2, 'die');
    const before = await plain.embed(words.join(' '), 'passage');
    const after = await plain.embed(ending.join(' '), 'passage');
    expect(dot(before, after)).toBeLessThan(0.99999);
    // The prefix takes two tokens, and begin and end one each, so there are four windows of 500.
    expect(plain.ids('', 'passage')).toHaveLength(4);
    const windows = [0, 1, 2, 3].map((i) => plain.embed(slice(ending, i, 4).join(' '), 'passage'));
    expect(dot(after, mean(await Promise.all(windows)))).toBeGreaterThan(0.999999);
  });

  test('returns the same bits from several processes', async () => {
    const parallel = new ParallelEmbedder(shipped, 2);
    try {
      const embedder = await Embedder.open(shipped, { verify: false });
      const vectors = await Promise.all(TEXTS.map((text) => parallel.embed(text, 'passage')));
      for (const [i, text] of TEXTS.entries()) {
        expect(vectors[i]).toEqual(await embedder.embed(text, 'passage'));
      }
    } finally {
      parallel.close();
    }
  });
});

describe('a text longer than the model’s window', () => {
  const sources: string[] = [];
  afterAll(() => {
    for (const source of sources) rmSync(source, { recursive: true });
  });

  function open(query: string): Promise<Embedder> {
    sources.push(writeModel({ ...tinyModel(), 'config_sentence_transformers.json': { prompts: { query } } }));
    return Embedder.open(compileModel(sources.at(-1)!, { into }), { verify: true });
  }

  /** Each word is one token. */
  const words = Array.from({ length: 300 }, (_, i) => ['the', 'in', 'la', 'de', 'och', 'yang'][(i * i) % 6]!);

  test.each([62, 63, 64, 122, 123, 124, 300])(
    'of %d tokens has the mean vector of its windows',
    async (length) => {
      const embedder = await open('');
      const text = words.slice(0, length);
      const parts = Math.ceil(length / 62);
      const windows = Array.from({ length: parts }, (_, i) =>
        embedder.embed(slice(text, i, parts).join(' ')),
      );
      const expected = mean(await Promise.all(windows));
      const vector = await embedder.embed(text.join(' '));
      expected.forEach((value, i) => {
        expect(vector[i]).toBeCloseTo(value, 5);
      });
    },
  );

  test('has the prefix in each window, even if the prefix merges with the text', async () => {
    const embedder = await open('die');
    const windows = [0, 1, 2, 3, 4].map((i) => embedder.embed(`die ${slice(words, i, 5).join(' ')}`));
    const expected = mean(await Promise.all(windows));
    const vector = await embedder.embed(words.join(' '), 'query');
    expected.forEach((value, i) => {
      expect(vector[i]).toBeCloseTo(value, 5);
    });
  });

  test('is embedded even if the prefix leaves one token per window', async () => {
    const prefix = 'die '.repeat(61);
    const embedder = await open(prefix);
    const expected = mean(await Promise.all([embedder.embed(`${prefix}la`), embedder.embed(`${prefix}the`)]));
    const vector = await embedder.embed('la the', 'query');
    expected.forEach((value, i) => {
      expect(vector[i]).toBeCloseTo(value, 5);
    });
  });
});
