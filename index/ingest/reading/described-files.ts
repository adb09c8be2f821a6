import { text } from 'node:stream/consumers';
import { type ReadOptions, Unreadable } from '../../documents/file.ts';
import { rowOf } from '../../documents/records/values.ts';
import { parseJson } from '../../kit/json.ts';
import { limitBytes } from '../sources/files.ts';
import { DESCRIPTION, type ListedFile, type Memory, type SourceContext } from '../sources/source.ts';

/** Bytes of a description, as in Amazon Bedrock. */
const MOST_BYTES = 10 * 1024;

/** A file, and how to read it. */
export interface DescribedFile extends ListedFile {
  options: ReadOptions;
}

/**
 * Takes the descriptions out of a list of files, and adds their fields to the files that they describe. Leaves out a file whose
 * description cannot be read, as that may say who may read it.
 * @param files with different names
 * @param context its memory has what descriptions with a version contain, and its signal stops reading
 */
export async function describeFiles(
  files: readonly ListedFile[],
  context: SourceContext & { signal?: AbortSignal | undefined },
): Promise<DescribedFile[]> {
  const { memory, report, signal } = context;
  const names = new Set(files.map(({ file }) => file.source));
  const descriptions = new Map(
    files
      .filter(({ file }) => names.has(describedBy(file.source) ?? ''))
      .map(({ file }) => [describedBy(file.source)!, file]),
  );
  const described: DescribedFile[] = [];
  for (const { file, source } of files) {
    signal?.throwIfAborted();
    const { options } = source;
    const description = descriptions.get(file.source);
    if (descriptions.get(describedBy(file.source) ?? '') === file) continue;
    try {
      const metadata = description && (await readDescription(description, memory));
      described.push({ file, source, options: metadata ? { ...options, metadata } : options });
    } catch (error) {
      const { notice } = error instanceof Unreadable ? error : unreadable(description!.path, String(error));
      report({ ...notice, fix: `${notice.fix} Until then, ${file.source} is left out.` });
    }
  }
  return described;
}

/** The name of the file that another one describes by its name. */
function describedBy(name: string): string | undefined {
  return name.endsWith(DESCRIPTION) ? name.slice(0, -DESCRIPTION.length) : undefined;
}

async function readDescription(
  { path, version, open }: ListedFile['file'],
  memory: Memory,
): Promise<ReadOptions['metadata']> {
  const key = `description ${path} ${version}`;
  const known = version === undefined ? undefined : memory.get(key);
  const json = known ?? (await text(limitBytes(open(), path, MOST_BYTES)));
  const { metadataAttributes } = (parseJson(json) ?? {}) as { metadataAttributes?: unknown };
  if (typeof metadataAttributes !== 'object' || metadataAttributes === null)
    throw unreadable(path, 'metadataAttributes is no object');
  const row = rowOf(metadataAttributes, path);
  if (row instanceof Unreadable) throw row;
  if (version !== undefined && known === undefined) memory.set(key, json);
  return Object.fromEntries(row.fields);
}

function unreadable(path: string, problem: string): Unreadable {
  return new Unreadable(path, 'not a description', `Write {"metadataAttributes": {…}} (${problem}).`);
}
