import { readPackagedFile } from '../packaged-file.ts';

/** The widget that packaging assembled. The `imports` in package.json select this module in the function's bundle. */
export const script: string = readPackagedFile('widget.js', import.meta.url);
