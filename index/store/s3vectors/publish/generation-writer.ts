import { describeFile, type FileList } from '../../../format/checksums.ts';
import { writeSections } from '../../../format/container.ts';
import { LANGUAGES } from '../../../format/languages-file.ts';
import { type Segment, writeGeneration, writeGone } from '../generation.ts';
import { generationObject, goneObject, OBJECTS, ORDER } from '../objects.ts';
import type { Publication } from './journal.ts';
import type { LocalRows } from './local-rows.ts';
import type { Plan } from './plan.ts';
import type { Service } from './service.ts';

/**
 * Writes the objects of a new generation, its manifest last.
 * @param files of the new segment, if there is one
 */
export async function writeGenerationObjects(
  service: Service,
  local: LocalRows,
  { kept, order }: Plan,
  { generation, segment, created, rows }: Publication,
  files: FileList | undefined,
): Promise<void> {
  const objects = new Map<string, Uint8Array>([
    [OBJECTS.languages, writeSections(LANGUAGES, [new Uint8Array(0), local.typicalVectors()])],
    [OBJECTS.overview, local.overview()],
    [OBJECTS.order, writeSections(ORDER, [new Uint8Array(order.buffer, order.byteOffset, order.byteLength)])],
  ]);
  const segments = kept.map(({ id, rows, gone, files }): Segment => {
    const { object, ...keys } = writeGone(gone);
    if (object) objects.set(goneObject(id), object);
    return { id, rows, ...keys, files };
  });
  if (files) segments.push({ id: segment, rows, ...writeGone([]), files });
  const { version, model, dimensions, counts, fields } = local.manifest;
  const manifest = writeGeneration({
    generation,
    created,
    version,
    model,
    dimensions,
    counts,
    fields,
    languages: local.languages(),
    segments,
    files: Object.fromEntries([...objects].map(([name, bytes]) => [name, describeFile(bytes)])),
  });
  for (const [name, bytes] of [...objects, [OBJECTS.manifest, manifest] as const])
    await service.put(generationObject(generation, name), bytes);
}
