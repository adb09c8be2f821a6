import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

let version: string | undefined;

/** A hash of the code of all readers and of their packages' versions. What they return may change with it. */
export function readersVersion(): string {
  version ??= hashCode();
  return version;
}

function hashCode(): string {
  const folder = fileURLToPath(new URL('../documents/', import.meta.url));
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort())
    if (/\.[jt]s$/.test(name)) hash.update(`${name}\0`).update(readFileSync(folder + name));
  const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return hash.update(JSON.stringify(dependencies)).digest('hex');
}
