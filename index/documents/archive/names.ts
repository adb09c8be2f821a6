/** A path may be this long, as in file systems. */
const MAX_NAME_BYTES = 1024;

/** Whether an entry of an archive is read under a name, is hidden as it would be in a folder, or has a name that is not safe. */
type EntryName = { kind: 'named'; name: string } | { kind: 'hidden' } | { kind: 'unsafe' };

/**
 * Cleans the name of an entry of an archive: `/` between parts, no drive, no `/` at the start, no `.` parts. Names with `..` parts or
 * control characters, and names that are too long, are unsafe.
 */
export function entryName(raw: string): EntryName {
  const parts = raw
    .replaceAll('\\', '/')
    .replace(/^[a-z]:\//i, '')
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  const name = parts.join('/');
  if (parts.some(isHidden)) return { kind: 'hidden' };
  const isUnsafe = parts.includes('..') || /\p{Cc}/u.test(name) || name === '';
  return isUnsafe || Buffer.byteLength(name) > MAX_NAME_BYTES ? { kind: 'unsafe' } : { kind: 'named', name };
}

/** As in folders. `__MACOSX` contains what macOS adds to a zip file. */
function isHidden(part: string): boolean {
  return (part.startsWith('.') && part !== '..') || part === 'node_modules' || part === '__MACOSX';
}

/**
 * The name of a web page in the index: its host and path, `index.html` if the path ends with `/`, and the query. Readable characters
 * are decoded.
 */
export function urlName(url: URL): string {
  const path = url.pathname.endsWith('/') ? `${url.pathname}index.html` : url.pathname;
  return `${url.host}${decodePath(path)}${decodePath(url.search)}`;
}

/** Keeps what would have another meaning, such as `%2F`, and bytes that are not UTF-8. */
function decodePath(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURI(encoded).replace(/[\p{Cc}\\]/gu, encodeURIComponent);
    } catch {
      return encoded;
    }
  });
}

/** Ends of file names of content types. Types that servers send for any file are missing: there, the URL decides. */
const EXTENSIONS: Record<string, string> = {
  'application/epub+zip': '.epub',
  'application/json': '.json',
  'application/jsonl': '.jsonl',
  'application/mbox': '.mbox',
  'application/msword': '.doc',
  'application/pdf': '.pdf',
  'application/vnd.ms-excel': '.xls',
  'application/vnd.ms-powerpoint': '.ppt',
  'application/vnd.oasis.opendocument.presentation': '.odp',
  'application/vnd.oasis.opendocument.spreadsheet': '.ods',
  'application/vnd.oasis.opendocument.text': '.odt',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': '.pptx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': '.xlsx',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': '.docx',
  'application/x-ndjson': '.jsonl',
  'application/x-subrip': '.srt',
  'application/xhtml+xml': '.xhtml',
  'application/xml': '.xml',
  'application/yaml': '.yaml',
  'message/rfc822': '.eml',
  'text/csv': '.csv',
  'text/html': '.html',
  'text/markdown': '.md',
  'text/tab-separated-values': '.tsv',
  'text/vtt': '.vtt',
  'text/x-rst': '.rst',
  'text/xml': '.xml',
};

/** What a `Content-Type` header says. */
interface ContentType {
  /** In lower case, without parameters: `text/html`. */
  type: string;
  charset?: string;
}

/** Parses a `Content-Type` header. */
export function parseContentType(header: string): ContentType {
  const charset = /;\s*charset\s*=\s*"?([^\s";]{1,40})/i.exec(header)?.[1];
  return { type: header.split(';')[0]!.trim().toLowerCase(), charset };
}

/** Whether a file name or a path has an end that may tell a format, such as `.md`. Version numbers do not. */
export function hasExtension(name: string): boolean {
  return /\.[a-z][a-z0-9]{0,9}$/i.test(name);
}

/**
 * The end of a file name that tells the format of content of a type. Undefined if the name of the file tells more than the type.
 * @param name of the file, or the path of a URL
 */
export function extensionOf(type: string, name: string): string | undefined {
  const extension = EXTENSIONS[type];
  if (extension === undefined && type === 'text/plain' && !hasExtension(name)) return '.txt';
  return extension;
}
