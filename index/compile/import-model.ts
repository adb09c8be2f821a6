import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Embedder } from '../embedding/embedder.ts';
import type { CompiledModel } from '../format/compiled-model.ts';
import { withTemporaryFolder, writeFolder } from '../format/drafts.ts';
import { checkSums, compileModel, formatSums, parseJson, SUMS } from './compile.ts';

/** Files of a model folder, without the weights. Only the first two are required. */
const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', '1_Pooling/config.json'];
const PROMPTS = 'config_sentence_transformers.json';
const LEARNED = 'polyseek.json';
const WEIGHTS = ['onnx/model_quantized.onnx', 'onnx/model.onnx'];

/** Typed as a string, so that TypeScript does not look for types beside the file. They are in another folder of the package. */
const HUB: string = '@xenova/transformers/src/utils/hub.js';

/** The prefix of each kind of text. Undefined keeps the model's own. */
interface Prefixes {
  query?: string;
  passage?: string;
}

/** The part of config_sentence_transformers.json that matters here. The rest is kept. */
interface PromptFile {
  prompts?: Record<string, string>;
}

type FileProgress = (file: string, done: number, total: number) => void;

/** Returns the bytes of a model's file, or undefined if it is missing. Compiling reports missing files that are required. */
type ReadFile = (name: string, required: boolean) => Promise<Uint8Array | undefined>;

/**
 * Imports a model: copies its files into a new folder with their SHA-256, compiles them and embeds a sentence, to check that polyseek supports it.
 * @param source a model folder, or `owner/name@revision` on the Hugging Face hub (or at HF_ENDPOINT)
 * @param out a folder that does not exist; created only if the import succeeds
 * @throws an error that names the missing or unsupported part
 */
export async function importModel(
  source: string,
  out: string,
  prefixes: Prefixes = {},
  progress?: FileProgress,
): Promise<CompiledModel> {
  const read = existsSync(source) ? folderReader(source) : await hubReader(source, progress);
  if (existsSync(out)) throw new Error(`${out} exists already. Remove it, or choose another folder.`);
  return writeFolder(out, async (draft) => {
    const written = new Map<string, Uint8Array | string>();
    const write = (name: string, bytes: Uint8Array | string | undefined) => {
      if (bytes === undefined) return;
      mkdirSync(dirname(join(draft, name)), { recursive: true });
      writeFileSync(join(draft, name), bytes);
      written.set(name, bytes);
    };
    try {
      for (const [i, name] of FILES.entries()) write(name, await read(name, i < 2));
      const prompts = await read(PROMPTS, false);
      if (prefixes.query === undefined && prefixes.passage === undefined) {
        write(PROMPTS, prompts);
        write(LEARNED, await read(LEARNED, false));
      } else {
        // Learned constants depend on the prefixes, so they are not copied.
        const settings =
          prompts && parseJson<PromptFile>(join(draft, PROMPTS), Buffer.from(prompts).toString());
        const query = prefixes.query ?? settings?.prompts?.query;
        const document = prefixes.passage ?? settings?.prompts?.document;
        write(PROMPTS, JSON.stringify({ ...settings, prompts: { ...settings?.prompts, query, document } }));
      }
      const quantized = await read(WEIGHTS[0]!, false);
      if (quantized) write(WEIGHTS[0]!, quantized);
      else write(WEIGHTS[1]!, await read(WEIGHTS[1]!, true));
      // `npx polyseek learn` writes it later.
      written.delete(LEARNED);
      write(SUMS, formatSums(written));
      return await tryModel(draft);
    } catch (error) {
      if (error instanceof Error) error.message = error.message.replaceAll(draft, source);
      throw error;
    }
  });
}

function folderReader(dir: string): ReadFile {
  checkSums(dir, new Map());
  return async (name) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name)) : undefined);
}

async function hubReader(source: string, progress?: FileProgress): Promise<ReadFile> {
  const [, id, revision] = /^([\w.-]+\/[\w.-]+)(?:@([\w.-]+))?$/.exec(source) ?? [];
  if (!id)
    throw new Error(`${source} is neither a folder nor owner/name@REVISION on the hub. Check the name.`);
  if (!revision || revision === 'main') {
    throw new Error(
      `${source} has no fixed revision. Add a commit from the model's history: ${id}@REVISION.`,
    );
  }
  const { env } = await import('@xenova/transformers');
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
        `${name} of ${source} cannot be downloaded (${reasonOf(error)}). Check the name, the revision and the network, or name a folder.`,
      );
    }
  };
}

/** The reason of a failed download. fetch puts it into the error's cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const { code, message: detail } = (cause ?? {}) as { code?: string; message?: string };
  return detail || code || message.replace(/\.$/, '');
}

async function tryModel(dir: string): Promise<CompiledModel> {
  const into = mkdtempSync(join(tmpdir(), 'polyseek-'));
  return withTemporaryFolder(into, async () => {
    const embedder = await Embedder.open(compileModel(dir, { into }), { verify: false });
    const vector = await embedder.embed('All human beings are born free and equal.', 'passage');
    if (!vector.every(Number.isFinite)) {
      throw new Error(
        `${dir}: the embedding of a sentence is not finite. Choose another export of the model.`,
      );
    }
    return embedder.model;
  });
}
