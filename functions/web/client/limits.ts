/** In the npm package, a copy of the limits replaces this module. */
export { ANSWERED, LIMITS } from '../../../index/search/limits.ts';
