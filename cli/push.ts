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
    const [{ push }, { packageZip }] = await Promise.all([
      import('../infra/remote/push.ts'),
      import('../infra/remote/package-zip.ts'),
    ]);
    deferInterrupts();
    const settings = deployedSettings(flags);
    const { index = settings.index, ask: questions, keep } = flags;
    const outcome = await push(target(flags), {
      index,
      packageFor: (architecture) => packageZip(index, settings.collections, architecture),
      questions,
      keep,
    });
    const { message, pruned } = outcome;
    const hasNews = pruned && pruned.deleted.length + pruned.failures.length > 0;
    print(flags.json, outcome, () => (hasNews ? `${message}\n${describePruned(pruned)}` : message));
  });
