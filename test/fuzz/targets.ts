import { documentTargets } from './document-targets.ts';
import { fileTargets } from './file-targets.ts';
import { requestTargets } from './request-targets.ts';
import { s3Targets } from './s3-targets.ts';
import type { Target } from './target.ts';
import { textTargets } from './text-targets.ts';

/** All targets by name. */
export const targets: Readonly<Record<string, Target>> = {
  ...fileTargets,
  ...s3Targets,
  ...requestTargets,
  ...textTargets,
  ...documentTargets,
};
