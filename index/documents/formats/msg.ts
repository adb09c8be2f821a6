import type { Reader } from '../input.ts';

/** Rejects the messages of Outlook, which are binary. */
// biome-ignore lint/correctness/useYield: no file has documents
export const read: Reader = async function* (input) {
  throw input.failure('Outlook format', 'Save it as .eml and build again.');
};
