import { readFileSync } from 'node:fs';

/** Set by the packager: the function has no package.json. */
declare const POLYSEEK_VERSION: string | undefined;

export const version: string = typeof POLYSEEK_VERSION === 'string' ? POLYSEEK_VERSION : readVersion();

function readVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
