/** An API key in cdk.json: its SHA-256 in hexadecimal, alone or with its limits. */
export type ApiKeySetting = string | { sha256: string; origins?: string[]; collections?: string[] };

/** The start of pages' requests. */
export const BROWSER_PREFIX = '/browser';

/** The origins of all browser keys. */
export function browserOrigins(keys: Record<string, ApiKeySetting>): string[] {
  return Object.values(keys).flatMap((key) => (typeof key === 'string' ? [] : (key.origins ?? [])));
}
