import { TextDecoder } from 'node:util';
import { SaxesParser, type SaxesTagNS } from 'saxes';
import type { Zip } from '../archive/zip.ts';
import type { Input } from '../input.ts';

/** How deep elements may nest. Files of office programs stay below 100 levels. */
const MAX_XML_DEPTH = 256;

/** The most text of a document, and of one piece of it, in UTF-16 code units. The longest novels have 20 million. */
const MAX_TEXT = 64 * 2 ** 20;
const MAX_PIECE = 4 * 2 ** 20;

/** The usual prefix of each namespace, whatever prefix a file uses. */
const PREFIXES = new Map([
  ['http://schemas.openxmlformats.org/wordprocessingml/2006/main', 'w'],
  ['http://purl.oclc.org/ooxml/wordprocessingml/main', 'w'],
  ['http://schemas.openxmlformats.org/presentationml/2006/main', 'p'],
  ['http://purl.oclc.org/ooxml/presentationml/main', 'p'],
  ['http://schemas.openxmlformats.org/spreadsheetml/2006/main', 'x'],
  ['http://purl.oclc.org/ooxml/spreadsheetml/main', 'x'],
  ['http://schemas.openxmlformats.org/drawingml/2006/main', 'a'],
  ['http://purl.oclc.org/ooxml/drawingml/main', 'a'],
  ['http://schemas.openxmlformats.org/drawingml/2006/diagram', 'dgm'],
  ['http://purl.oclc.org/ooxml/drawingml/diagram', 'dgm'],
  ['http://schemas.openxmlformats.org/officeDocument/2006/relationships', 'r'],
  ['http://purl.oclc.org/ooxml/officeDocument/relationships', 'r'],
  ['http://schemas.openxmlformats.org/officeDocument/2006/math', 'm'],
  ['http://purl.oclc.org/ooxml/officeDocument/math', 'm'],
  ['http://schemas.openxmlformats.org/markup-compatibility/2006', 'mc'],
  ['http://schemas.openxmlformats.org/package/2006/relationships', 'rel'],
  ['http://purl.org/dc/elements/1.1/', 'dc'],
  ['urn:oasis:names:tc:opendocument:xmlns:office:1.0', 'office'],
  ['urn:oasis:names:tc:opendocument:xmlns:text:1.0', 'text'],
  ['urn:oasis:names:tc:opendocument:xmlns:table:1.0', 'table'],
  ['urn:oasis:names:tc:opendocument:xmlns:style:1.0', 'style'],
  ['urn:oasis:names:tc:opendocument:xmlns:drawing:1.0', 'draw'],
  ['urn:oasis:names:tc:opendocument:xmlns:presentation:1.0', 'presentation'],
  ['urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0', 'fo'],
  ['urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0', 'svg'],
  ['urn:oasis:names:tc:opendocument:xmlns:manifest:1.0', 'manifest'],
  ['urn:oasis:names:tc:opendocument:xmlns:container', 'container'],
  ['http://www.idpf.org/2007/opf', 'opf'],
  ['http://www.idpf.org/2007/ops', 'epub'],
  ['http://www.daisy.org/z3986/2005/ncx/', 'ncx'],
  ['http://www.w3.org/1999/xhtml', 'html'],
  ['http://www.w3.org/2001/04/xmlenc#', 'enc'],
]);

/** An element's start. Its name and those of its attributes have the usual prefix, such as `w:p`; attributes without one have none. */
export interface XmlElement {
  name: string;
  attributes: { get(name: string): string | undefined };
}

/** Receives the parts of an XML file in order. */
export interface XmlHandler {
  /** Returns the name of an element to leave out: the rest of the innermost open one, such as the element itself. Its end is received. */
  open?(element: XmlElement): string | undefined;
  close?(name: string): void;
  /** @param parent name of the innermost open element */
  text?(value: string, parent: string): void;
}

/**
 * Parses an XML file piece by piece. Yields after each piece, so that a caller can take what the handler found. Entities of a DTD are
 * not expanded.
 * @param maxText the most text, in UTF-16 code units
 * @throws Unreadable `damaged` if it is not well-formed, `nested too deep` and `too large`
 */
export async function* parseXml(
  bytes: AsyncIterable<Uint8Array>,
  input: Input,
  handler: XmlHandler,
  maxText = Number.POSITIVE_INFINITY,
): AsyncGenerator<undefined> {
  const parser = new SaxesParser({ xmlns: true, position: false });
  const open: string[] = [];
  /** Depth of the element that is left out; 0 if there is none. */
  let leftOut = 0;
  let problem: Error | undefined;
  parser.on('error', () => {
    problem ??= input.failure('damaged', 'Save it again with the program that made it.');
  });
  parser.on('opentag', (tag) => {
    const name = nameOf(tag.uri, tag.local);
    if (open.push(name) > MAX_XML_DEPTH)
      problem ??= input.failure('nested too deep', 'Flatten its structure and build again.');
    if (problem || leftOut > 0) return;
    leftOut = open.lastIndexOf(handler.open?.({ name, attributes: attributesOf(tag) }) ?? '') + 1;
  });
  parser.on('closetag', () => {
    if (open.length === leftOut) leftOut = 0;
    const name = open.pop()!;
    if (!problem && leftOut === 0) handler.close?.(name);
  });
  let textLength = 0;
  const text = (value: string) => {
    textLength += value.length;
    if (textLength > maxText || value.length > MAX_PIECE)
      problem ??= input.failure('too large', 'Split it into smaller files.');
    if (!problem && leftOut === 0) handler.text?.(value, open.at(-1) ?? '');
  };
  parser.on('text', text);
  parser.on('cdata', text);
  let decoder: TextDecoder | undefined;
  for await (const chunk of bytes) {
    decoder ??= new TextDecoder(encodingOf(chunk));
    parser.write(decoder.decode(chunk, { stream: true }));
    if (problem) throw problem;
    yield;
  }
  parser.write(decoder?.decode() ?? '').close();
  if (problem) throw problem;
  yield;
}

/** Parses a whole part with the text of one document at most. Errors are as for `parseXml`. */
export async function readXml(zip: Zip, part: string, input: Input, handler: XmlHandler): Promise<void> {
  for await (const _ of parseXml(zip.stream(part), input, handler, MAX_TEXT));
}

/** An element with its own text, and the wanted one around it. */
interface XmlNode extends XmlElement {
  text: string;
  parent?: XmlNode;
}

/**
 * The elements of a part that have one of these names, in order.
 * @param names with spaces between them
 */
export async function elementsOf(zip: Zip, part: string, input: Input, names: string): Promise<XmlNode[]> {
  const wanted = new Set(names.split(' '));
  const found: XmlNode[] = [];
  let inner: XmlNode | undefined;
  await readXml(zip, part, input, {
    open: (element) => {
      if (wanted.has(element.name)) {
        inner = { ...element, text: '', parent: inner };
        found.push(inner);
      }
      return undefined;
    },
    text: (value) => {
      if (inner) inner.text += value;
    },
    close: (name) => {
      if (name === inner?.name) inner = inner.parent;
    },
  });
  return found;
}

/** XML without a byte order mark or a declaration is UTF-8. Packages may use UTF-16 too. */
function encodingOf(start: Uint8Array): string {
  if (start[0] === 0xfe || (start[0] === 0 && start[1] === 0x3c)) return 'utf-16be';
  if (start[0] === 0xff || (start[0] === 0x3c && start[1] === 0)) return 'utf-16le';
  return 'utf-8';
}

/** Looks attributes up when they are asked for, because most never are. */
function attributesOf({ attributes }: SaxesTagNS): XmlElement['attributes'] {
  return {
    get: (name) =>
      name.includes(':')
        ? Object.values(attributes).find(({ uri, local }) => nameOf(uri, local) === name)?.value
        : attributes[name]?.value,
  };
}

function nameOf(uri: string, local: string): string {
  return `${PREFIXES.get(uri) ?? '?'}:${local}`;
}
