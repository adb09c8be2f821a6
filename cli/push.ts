import { describePruned } from '../infra/remote/prune.ts';
import { print } from './kit/command.ts';
import {
  changingTool,
  deferInterrupts,
  deployedSettings,
  keepOption,
  type Target,
  target,
} from './kit/remote.ts';

export const command = changingTool(
  'push',
  'Publish an index as a new version, test it, make it live, and delete old versions.',
)
  .option('--index <dir>', 'index folder (default: index of cdk.json)')
  .option(
    '--ask <question>',
    'question that the new version must answer (repeatable)',
    (question: string, before: string[]) => [...before, question],
    [],
  )
  .addOption(keepOption())
  .examples('npx polyseek push --ask "May I be imprisoned without a trial?"')
  .action(async (flags: Target & { index?: string; ask: string[]; keep: number }) => {
    const { push } = await import('../infra/remote/push.ts');
    deferInterrupts();
    const { index, collections } = deployedSettings(flags);
    const indexes = { index: flags.index ?? index, collections };
    const outcome = await push(target(flags), indexes, flags.ask, flags.keep);
    const { message, pruned } = outcome;
    const hasNews = pruned && pruned.deleted.length + pruned.failures.length > 0;
    print(flags.json, outcome, () => (hasNews ? `${message}\n${describePruned(pruned)}` : message));
  });
