import { encrypted, Zip } from '../archive/zip.ts';
import type { Input } from '../input.ts';
import { elementsOf } from './office-xml.ts';

/** The most bytes of a document's parts, inflated. The blocks of a document are in memory; the rows of a spreadsheet are not. */
const MAX_DOCUMENT_BYTES = 128 * 2 ** 20;
export const MAX_SPREADSHEET_BYTES = 256 * 2 ** 20;

/** The start of a compound file: an old Office file, or one with a password. */
const COMPOUND_FILE = '\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1';
/** Word, Excel and PowerPoint store an encrypted file in a compound file, as a part with this name. */
const ENCRYPTED_PART = Buffer.from('EncryptedPackage', 'utf16le');

/**
 * Opens a zip file with the parts of an office document.
 * @param extension of the current format, for errors
 * @param inflated most bytes of all parts
 * @throws Unreadable `encrypted`, `old Office format`, or those of `Zip.open`
 */
export async function openPackage(
  input: Input,
  extension: string,
  inflated = MAX_DOCUMENT_BYTES,
): Promise<Zip> {
  const bytes = await input.bytes();
  const start = bytes.toString('latin1', 0, COMPOUND_FILE.length);
  if (start === COMPOUND_FILE && bytes.includes(ENCRYPTED_PART)) throw encrypted(input);
  if (start === COMPOUND_FILE || start.startsWith('{\\rtf'))
    throw input.failure('old Office format', `Save it as ${extension} and build again.`);
  return Zip.open(bytes, input, inflated);
}

/** The error for a file without text. */
export function noText(input: Input): Error {
  return input.failure('no text', 'Add text to it, or leave it out.');
}

/** What another part of an Office document is to a part. */
interface Relation {
  id: string;
  /** The last part of the type's URI, such as `notesSlide`. */
  type: string;
  /** Name of the other part. */
  target: string;
}

/** The relations of a part to parts that exist, in order; of the package for an empty name. */
export async function relationsOf(zip: Zip, part: string, input: Input): Promise<Relation[]> {
  const slash = part.lastIndexOf('/') + 1;
  const name = `${part.slice(0, slash)}_rels/${part.slice(slash)}.rels`;
  if (!zip.has(name)) return [];
  const elements = await elementsOf(zip, name, input, 'rel:Relationship');
  const relations = elements.map(({ attributes }) => ({
    id: attributes.get('Id') ?? '',
    type: attributes.get('Type')?.split('/').at(-1) ?? '',
    target: resolvePart(part, attributes.get('Target') ?? ''),
  }));
  return relations.filter(({ target }) => zip.has(target));
}

/** A file of Word, Excel or PowerPoint. */
interface OfficeFile {
  zip: Zip;
  main: string;
  /** The relations of the main part. */
  relations: Relation[];
  /** The part with properties, which may not exist. */
  properties: string;
}

/**
 * Opens such a file.
 * @param usualMain its main part, unless it names another
 */
export async function openOffice(
  input: Input,
  extension: string,
  usualMain: string,
  inflated?: number,
): Promise<OfficeFile> {
  const zip = await openPackage(input, extension, inflated);
  const relations = await relationsOf(zip, '', input);
  const target = (wanted: string) => relations.find(({ type }) => type === wanted)?.target;
  const main = target('officeDocument') ?? usualMain;
  const properties = target('core-properties') ?? 'docProps/core.xml';
  return { zip, main, properties, relations: await relationsOf(zip, main, input) };
}

/** The name of a part that another part names by a relative URI. */
export function resolvePart(base: string, uri: string): string {
  try {
    return decodeURIComponent(new URL(uri, `http://package/${encodeURI(base)}`).pathname.slice(1));
  } catch {
    return uri;
  }
}

/** A text with single spaces in place of white space. */
export function onOneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** Titles that programs write: `PowerPoint Presentation`, in any language, or the name of a file. */
const GENERATED_TITLE =
  /\b(?:power ?point|microsoft (?:word|excel|office))\b|\.(?:docx?|pptx?|xlsx?)$|^slide 1$|^untitled/i;

/** The title, unless a program made it up, and the language in a part with properties, if there is one. */
export async function propertiesOf(
  zip: Zip,
  part: string,
  input: Input,
): Promise<{ title?: string; lang?: string }> {
  if (!zip.has(part)) return {};
  const elements = await elementsOf(zip, part, input, 'dc:title dc:language');
  const value = (wanted: string) =>
    onOneLine(elements.find(({ name }) => name === wanted)?.text ?? '') || undefined;
  const title = value('dc:title');
  return { title: title && GENERATED_TITLE.test(title) ? undefined : title, lang: value('dc:language') };
}
