import type { InputFile, Notice } from '../../index/documents/file.ts';
import { FORMATS } from '../../index/documents/formats.ts';
import { readFile } from '../../index/documents/read-file.ts';
import { type ZipMember, zip } from '../fixtures/zip.ts';
import type { Target } from './target.ts';

/** What `damaged` in file.ts makes of an error of JavaScript itself. */
const RAW =
  /Cannot (read|set|destructure|convert|mix|create)|is not (a function|iterable|defined|a constructor|a valid|extensible)|Invalid (array|string|typed array|count|time|code point|regular)|Maximum call stack|out of (range|memory|bounds)|undefined|Unexpected (token|end of JSON|non-whitespace)|before initialization/;

/** Sizes of the pieces in which a file arrives: mostly whole, which is quicker. */
const PIECES = [...Array<number>(4).fill(Number.POSITIVE_INFINITY), 64, 3];
/** More pieces would only take time. */
const MOST_PIECES = 200;

function* cut(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Reads a file as a build does. Throws if nothing is reported, or an error that tells nothing. */
async function readDocument(name: string, bytes: Buffer): Promise<void> {
  const notices: Notice[] = [];
  const size = Math.max(PIECES[bytes.length % PIECES.length]!, Math.ceil(bytes.length / MOST_PIECES));
  const file: InputFile = {
    source: name,
    path: name,
    open: async function* () {
      yield* cut(bytes, size);
    },
  };
  const context = {
    options: {},
    depth: 0,
    report: (notice: Notice) => notices.push(notice),
    readNested: readFile,
  };
  let documents = 0;
  for await (const document of readFile(file, context)) {
    documents++;
    for (const { text } of document.blocks)
      if (!text.isWellFormed()) throw new Error(`A lone surrogate: ${JSON.stringify(text)}`);
  }
  if (documents + notices.length === 0) throw new Error(`${name}: neither a document nor a notice.`);
  for (const { reason, fix = '' } of notices) {
    if (/[\n\r]/.test(reason + fix)) throw new Error(`${name}: two lines: ${JSON.stringify(fix)}`);
    if (reason === 'damaged' && RAW.test(fix)) throw new Error(`${name}: ${reason}. ${fix}`);
  }
}

/** Formats whose files are zip archives of XML. */
const PACKAGES = ['.docx', '.pptx', '.xlsx', '.odt', '.odp', '.ods', '.epub', '.zip'];

/** Separates names and contents of a package's files in an input. Mutations of a compressed file rarely reach its contents. */
export const SEPARATOR = '\0\xff';

/** One in so many packages is compressed, which takes longer than to read it. */
const COMPRESSED = 8;

function packageOf(input: Buffer): Buffer {
  const parts = input.toString('latin1').split(SEPARATOR);
  const stored = input.length % COMPRESSED !== 0;
  const members: ZipMember[] = [];
  for (let i = 0; i + 1 < parts.length; i += 2)
    members.push({
      name: Buffer.from(parts[i]!, 'latin1').toString(),
      content: Buffer.from(parts[i + 1]!, 'latin1').toString(),
      stored,
    });
  return zip(members);
}

/** Formats whose files are texts of any encoding. */
const TEXTS = new Set(
  '.txt .md .mdx .rst .srt .adoc .1 .html .ipynb .jsonl .csv .json .yaml .xml .eml .mbox'.split(' '),
);

/** Texts of which each part has its own encoding, so that a mark says nothing. */
const MAIL = ['.eml', '.mbox'];

const UTF8_MARK = Buffer.from('\uFEFF');
/** One in so many texts does not say what its encoding is. */
const UNMARKED = 64;

/**
 * Mutated bytes are rarely valid UTF-8, and to guess their encoding takes longer than to read the text. The target `encoding` fuzzes
 * that, so most texts say that they are UTF-8, or are.
 */
function inUtf8(text: Buffer, extension: string): Buffer {
  if (text.length % UNMARKED === 0) return text;
  return MAIL.includes(extension) ? Buffer.from(text.toString('latin1')) : Buffer.concat([UTF8_MARK, text]);
}

/** A target for each format of documents, named after its first extension. */
export const documentTargets: Record<string, Target> = Object.fromEntries(
  FORMATS.map(({ extensions }): [string, Target] => {
    const extension = extensions[0]!;
    // A compressed file has the format of the rest of its name.
    const name = `file${extension === '.gz' ? '.txt' : ''}${extension}`;
    const isPackage = PACKAGES.includes(extension);
    const fileOf = (input: Buffer) => {
      if (isPackage && input.includes(SEPARATOR, 'latin1')) return packageOf(input);
      return TEXTS.has(extension) ? inUtf8(input, extension) : input;
    };
    return [`document${extension.replace('.', '-')}`, (input) => readDocument(name, fileOf(input))];
  }),
);
