import { assemblePage, type Page } from './assemble.ts';

/** The page at `/`. Packaging puts the assembled page in place of this module, so that the function has neither esbuild nor the sources. */
export const page: Page = await assemblePage();
