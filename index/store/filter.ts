import type { Scalar } from '../format/passage.ts';

/** Values that a field must have, by the field's name: one of them. A source that ends in `/` matches a folder. */
export type Filter = Record<string, Scalar | Scalar[]>;
