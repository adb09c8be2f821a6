import { assemblePage, type Page } from './assemble-page.ts';

/** The page at `/`, assembled when this module is first imported. */
export const page: Page = await assemblePage();
