import PostalMime from 'postal-mime';
import { checkDepth } from '../archive/entries.ts';
import type { Reader } from '../input.ts';

const MAX_BYTES = 64 * 2 ** 20;
const MAX_PART_DEPTH = 50;

/** Reads a page that a browser saved in a single file (RFC 2557). Its address is the one that it was saved from. */
export const read: Reader = async function* (input) {
  checkDepth(input);
  const page = await PostalMime.parse(await input.bytes(MAX_BYTES), { maxNestingDepth: MAX_PART_DEPTH });
  const { html } = page;
  if (!html) throw input.failure('damaged', 'It contains no page. Save the page again.');
  const address = page.headers.find(({ key }) => key === 'snapshot-content-location')?.value;
  yield* input.nested({
    source: input.source,
    path: input.path,
    url: address && /^https?:/i.test(address) ? address : input.url,
    extension: '.html',
    charset: 'utf-8',
    open: async function* () {
      yield Buffer.from(html);
    },
  });
};
