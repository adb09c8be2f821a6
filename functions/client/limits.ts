/** Building the npm package replaces this module with a copy of the limits' own. */
export { LIMITS } from '../../index/search/limits.ts';
