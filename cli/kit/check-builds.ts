import { Bucket } from '../../functions/builder/bucket.ts';
import { Builds } from '../../functions/builder/builds.ts';
import { readBuilder } from '../../functions/deployed/builder.ts';
import { type Check, check, ok, warning } from './checks.ts';
import { target } from './remote.ts';

/** How the newest build of the deployed function went. */
export function checkBuilds(stage: string | undefined): Promise<Check> {
  const name = 'builds';
  const run = async () => {
    const remote = target({ ...(stage !== undefined && { stage }) });
    const { bucket } = await readBuilder(remote);
    const [newest] = await new Builds(new Bucket(bucket, remote.s3)).list(1);
    if (!newest)
      return warning(name, 'none yet', 'Put documents into the bucket, or run npx polyseek remote build.');
    const { status, started, reason = '' } = newest;
    const found = `the newest, of ${started.slice(0, 16).replace('T', ' ')} UTC: ${status}`;
    return status === 'failed'
      ? warning(name, `${found}. ${reason}`, 'List all with npx polyseek remote builds.')
      : ok(name, found);
  };
  return check(name, run, 'warning');
}
