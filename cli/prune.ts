import { describePruned, prune } from '../infra/remote/prune.ts';
import { print } from './kit/command.ts';
import { changingTool, deferInterrupts, keepOption, type Target, target } from './kit/remote.ts';

export const command = changingTool(
  'prune',
  'Delete old versions and their uploads. Keeps the newest ones, and those with an alias.',
)
  .addOption(keepOption())
  .option('--dry-run', 'show the result without deleting anything')
  .examples('npx polyseek prune --keep 3', 'npx polyseek prune --dry-run')
  .action(async (flags: Target & { keep: number; dryRun?: boolean }) => {
    deferInterrupts();
    const pruned = await prune(target(flags), flags.keep, flags.dryRun);
    print(flags.json, pruned, () => describePruned(pruned));
    if (pruned.failures.length > 0) process.exitCode = 1;
  });
