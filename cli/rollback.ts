import { rollback } from '../functions/deployed/go-live.ts';
import { readSettings } from '../functions/deployed/settings.ts';
import { print, UsageError } from './kit/command.ts';
import { changingTool, deferInterrupts, type Target, target } from './kit/deployed.ts';
import { findAddress } from './kit/published.ts';

export const command = changingTool(
  'rollback',
  'Make an older version live (default: the newest one before the live version); of an index in S3 Vectors, an older generation.',
)
  .argument('[version]', 'number of the version, or of the generation')
  .examples('npx polyseek rollback', 'npx polyseek rollback 7 --json')
  .action(async (version: string | undefined, flags: Target) => {
    deferInterrupts();
    if (readSettings(flags.stage).store === 's3vectors') {
      if (version !== undefined && !/^\d{1,15}$/.test(version))
        throw new UsageError(
          `${version} is not the number of a generation. npx polyseek versions lists them.`,
        );
      const { rollBackTo } = await import('../index/store/s3vectors/publish/manage.ts');
      const outcome = await rollBackTo(
        await findAddress(flags),
        version === undefined ? undefined : Number(version),
      );
      const { live, was } = outcome;
      print(flags.json, outcome, () =>
        live === was
          ? `Generation ${live} was current already.`
          : `Generation ${live} is current (was ${was}).`,
      );
      return;
    }
    const outcome = await rollback(target(flags), version);
    print(flags.json, outcome, () => outcome.message);
  });
