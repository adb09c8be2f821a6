import type { Attachment } from 'postal-mime';
import { extensionOf, hasExtension } from '../archive/content-types.ts';
import type { Entries } from '../archive/entries.ts';
import type { Document } from '../document.ts';

/** Parts that are no documents of their own. */
const IGNORED = new Set([
  'application/pgp-encrypted',
  'application/pgp-signature',
  'application/pkcs7-signature',
  'application/x-pkcs7-signature',
  'message/delivery-status',
  'text/rfc822-headers',
]);

/**
 * Reads the files attached to a message by their own formats. Leaves out pictures in the text, and signatures.
 * @param folder precedes their names: empty, or it ends with `/`
 */
export async function* readAttachments(
  attachments: readonly Attachment[],
  entries: Entries,
  folder: string,
): AsyncGenerator<Document> {
  const names = new Set<string>();
  for (const { filename, mimeType, disposition, related, content } of attachments) {
    if (related || IGNORED.has(mimeType) || typeof content === 'string') continue;
    if (mimeType.startsWith('image/') && disposition !== 'attachment') continue;
    // Mail programs send types that are less exact than names: spreadsheets' for CSV files.
    const extension = hasExtension(filename ?? '') ? undefined : extensionOf(mimeType, '');
    const name = uniqueName(filename ?? `attachment${extension ?? ''}`, names);
    yield* entries.read(`${folder}${name}`, {
      extension,
      open: async function* () {
        yield new Uint8Array(content);
      },
    });
  }
}

/** `report.pdf`, `2/report.pdf`. A name may contain `/`: only its last part counts. */
function uniqueName(filename: string, names: Set<string>): string {
  const base = filename.split(/[/\\]/).at(-1) || 'attachment';
  let name = base;
  for (let i = 2; names.has(name); i++) name = `${i}/${base}`;
  names.add(name);
  return name;
}
