import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { env } from '@xenova/transformers';
import { Embedder } from '../embedding/embedder.ts';
import type { CompiledModel } from '../format/compiled-model.ts';
import { createDraft, removeStaleDrafts, replaceFolder, withTemporaryFolder } from '../format/drafts.ts';
import { compileModel, parseJson } from './compile.ts';

/** Files of a model folder besides its weights; only the first two must be there. */
const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', '1_Pooling/config.json'];
const PROMPTS = 'config_sentence_transformers.json';
const LEARNED = 'polyseek.json';
const WEIGHTS = ['onnx/model_quantized.onnx', 'onnx/model.onnx'];

/** A variable, so that TypeScript looks for no types beside the file: they lie in another folder of the package. */
const HUB: string = '@xenova/transformers/src/utils/hub.js';

/** What goes before each kind of text; undefined is as the model says. */
export interface Prefixes {
  query?: string;
  passage?: string;
}

/** The part of config_sentence_transformers.json that matters here; the rest is kept as it is. */
interface PromptFile {
  prompts?: Record<string, string>;
}

/** Told of each file that comes over the network, in bytes. */
export type FileProgress = (file: string, done: number, total: number) => void;

/** Gives the bytes of a model's file, or undefined if there is none; a required one is missed at the latest when the model is compiled. */
type ReadFile = (name: string, required: boolean) => Promise<Uint8Array | undefined>;

/**
 * Takes a model over: copies its files into a new folder, compiles them and embeds a sentence, to see that polyseek can use it.
 * @param source a model folder, or `owner/name@revision` on the Hugging Face hub (or at HF_ENDPOINT)
 * @param out a folder that is not there yet; where the model can't be taken, it is not there afterwards either
 * @returns what was compiled
 * @throws in one sentence that says what was not found or can't be taken
 */
export async function importModel(
  source: string,
  out: string,
  prefixes: Prefixes = {},
  progress?: FileProgress,
): Promise<CompiledModel> {
  const read = existsSync(source) ? folderReader(source) : await hubReader(source, progress);
  if (existsSync(out)) throw new Error(`${out} is there already: remove it, or choose another folder.`);
  removeStaleDrafts(out);
  const draft = createDraft(out);
  const write = (name: string, bytes: Uint8Array | string | undefined) => {
    if (bytes === undefined) return;
    mkdirSync(dirname(join(draft, name)), { recursive: true });
    writeFileSync(join(draft, name), bytes);
  };
  try {
    return await withTemporaryFolder(draft, async () => {
      for (const [i, name] of FILES.entries()) write(name, await read(name, i < 2));
      const prompts = await read(PROMPTS, false);
      if (prefixes.query === undefined && prefixes.passage === undefined) {
        write(PROMPTS, prompts);
        write(LEARNED, await read(LEARNED, false));
      } else {
        // What was learned with other prefixes does not hold with these.
        const settings =
          prompts && parseJson<PromptFile>(join(draft, PROMPTS), Buffer.from(prompts).toString());
        write(PROMPTS, JSON.stringify(withPrefixes(settings, prefixes)));
      }
      const quantized = await read(WEIGHTS[0]!, false);
      if (quantized) write(WEIGHTS[0]!, quantized);
      else write(WEIGHTS[1]!, await read(WEIGHTS[1]!, true));
      const model = await tryModel(draft);
      replaceFolder(draft, out);
      return model;
    });
  } catch (error) {
    if (error instanceof Error) error.message = error.message.replaceAll(draft, source);
    throw error;
  }
}

function folderReader(dir: string): ReadFile {
  return async (name) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name)) : undefined);
}

async function hubReader(source: string, progress?: FileProgress): Promise<ReadFile> {
  const [, id, revision] = /^([\w.-]+\/[\w.-]+)(?:@([\w.-]+))?$/.exec(source) ?? [];
  if (!id)
    throw new Error(`${source} is neither a folder nor a model of the hub, as owner/name@REVISION is.`);
  if (!revision || revision === 'main') {
    throw new Error(
      `${source} names no fixed revision, so that it may change any day: give a commit from the model's history, as in ${id}@REVISION.`,
    );
  }
  const { getModelFile }: typeof import('@xenova/transformers/types/utils/hub.js') = await import(HUB);
  env.remoteHost = process.env.HF_ENDPOINT || env.remoteHost;
  env.allowLocalModels = false;
  env.useFSCache = false;
  return async (name, required) => {
    const options = {
      revision,
      progress_callback: (event: { status: string; loaded: number; total: number }) => {
        if (event.status === 'progress') progress?.(name, event.loaded, event.total);
      },
    };
    try {
      return (await getModelFile(id, name, required, options)) ?? undefined;
    } catch (error) {
      throw new Error(
        `${name} of ${source} could not be fetched (${reasonOf(error)}): check the name, the revision and the network, or give a folder.`,
      );
    }
  };
}

/** What fetch says is in its error's cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const { code, message: detail } = (cause ?? {}) as { code?: string; message?: string };
  return detail || code || message.replace(/\.$/, '');
}

function withPrefixes(settings: PromptFile | undefined, { query, passage }: Prefixes): PromptFile {
  const prompts = { ...settings?.prompts };
  if (query !== undefined) prompts.query = query;
  if (passage !== undefined) prompts.document = passage;
  return { ...settings, prompts };
}

/** Compiles a model in a temporary place and embeds a sentence with it. */
async function tryModel(dir: string): Promise<CompiledModel> {
  const into = mkdtempSync(join(tmpdir(), 'polyseek-'));
  return withTemporaryFolder(into, async () => {
    const embedder = await Embedder.open(compileModel(dir, { into }), { verify: false });
    const vector = await embedder.embed('All human beings are born free and equal.', 'passage');
    if (!vector.every(Number.isFinite)) {
      throw new Error(
        `${dir} gives a vector that is not made of numbers: choose another export of the model.`,
      );
    }
    return embedder.model;
  });
}
