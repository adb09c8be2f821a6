import { assemblePage, type Page } from './assemble-page.ts';

/** The page at `/`, assembled at the first import of this module. */
export const page: Page = await assemblePage();
