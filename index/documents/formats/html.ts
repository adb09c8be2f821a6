import { declaredCharset } from '../html/head.ts';
import { readPage } from '../html/page.ts';
import type { Reader } from '../input.ts';

/** Frames of a page that a browser saved, beside the page. */
const FRAME = /_files\/saved_resource(?:\(\d+\))?\.html?$/i;

export const read: Reader = async function* (input) {
  if (FRAME.test(input.source)) {
    input.report({ kind: 'skipped', place: input.path, reason: 'part of a saved page' });
    return;
  }
  const { document, reason } = readPage(await input.text(declaredCharset), input.source, input.path);
  if (reason === 'no text') throw input.failure(reason, 'Save the page with its text.');
  if (reason) input.report({ kind: 'skipped', place: input.path, reason });
  else yield document;
};
