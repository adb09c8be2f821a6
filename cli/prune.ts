import type { Command } from 'commander';
import { describePruned, prune } from '../functions/deployed/prune.ts';
import { readSettings } from '../functions/deployed/settings.ts';
import { print } from './kit/command.ts';
import { changingTool, deferInterrupts, keepOption, type Target, target } from './kit/deployed.ts';
import { findAddress, prunedText } from './kit/published.ts';

export const command = changingTool(
  'prune',
  'Delete old versions; of an index in S3 Vectors, old generations. Keeps the newest ones, and those in use.',
)
  .addOption(keepOption('5, or 2 in S3 Vectors'))
  .option('--dry-run', 'show the result without deleting anything')
  .examples('npx polyseek prune --keep 3', 'npx polyseek prune --dry-run')
  .action(async (flags: Target & { keep: number; dryRun?: boolean }, tool: Command) => {
    const { keep, dryRun, json } = flags;
    deferInterrupts();
    if (readSettings(flags.stage).store === 's3vectors') {
      const [{ pruneIndex }, { DEFAULT_KEEP }] = await Promise.all([
        import('../index/store/s3vectors/publish/manage.ts'),
        import('../index/store/s3vectors/publish/prune.ts'),
      ]);
      const address = await findAddress(flags);
      const isChosen = tool.getOptionValueSource('keep') === 'cli';
      const pruned = await pruneIndex(address, isChosen ? keep : DEFAULT_KEEP, dryRun);
      print(json, { dryRun: dryRun ?? false, ...pruned }, () => prunedText(address, pruned, dryRun));
      return;
    }
    const pruned = await prune(target(flags), keep, { dryRun, orphans: true });
    print(json, pruned, () => describePruned(pruned));
    if (pruned.failures.length > 0) process.exitCode = 1;
  });
