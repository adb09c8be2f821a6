import { readPackagedFile } from '../packaged-file.ts';
import type { Page } from './assemble-page.ts';

/** The page that packaging assembled. The `imports` in package.json select this module in the function's bundle. */
export const page: Page = JSON.parse(readPackagedFile('page.json', import.meta.url));
