import { readFileSync } from 'node:fs';
import type { Page } from './assemble-page.ts';

/** The page that packaging assembled. The `imports` in package.json select this module in the function's bundle. */
export const page: Page = JSON.parse(readFileSync(new URL('page.json', import.meta.url), 'utf8'));
