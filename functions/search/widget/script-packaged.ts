import { readFileSync } from 'node:fs';

/** The widget that packaging assembled. The `imports` in package.json select this module in the function's bundle. */
export const script: string = readFileSync(new URL('widget.js', import.meta.url), 'utf8');
