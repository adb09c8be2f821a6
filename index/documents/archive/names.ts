/** A path may be this long, as in file systems. */
const MAX_NAME_BYTES = 1024;

/** Whether an entry of an archive is read under a name, is hidden as it would be in a folder, or has a name that is not safe. */
export type EntryName = { kind: 'named'; name: string } | { kind: 'hidden' } | { kind: 'unsafe' };

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
  if (parts.includes('..') || /\p{Cc}/u.test(name) || name === '') return { kind: 'unsafe' };
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return { kind: 'unsafe' };
  return { kind: 'named', name };
}

/** As in folders. `__MACOSX` contains what macOS adds to a zip file. */
function isHidden(part: string): boolean {
  return (part.startsWith('.') && part !== '..') || part === 'node_modules' || part === '__MACOSX';
}
