import { Option } from 'commander';
import { describePruned } from '../functions/deployed/prune.ts';
import { readSettings } from '../functions/deployed/settings.ts';
import { print } from './kit/command.ts';
import { changingTool, deferInterrupts, keepOption, type Target, target } from './kit/deployed.ts';
import { numberOption, repeatable } from './kit/flags.ts';

interface Flags extends Target {
  index?: string;
  ask?: string[];
  keep: number;
  canary?: number;
  promote?: boolean;
}

export const command = changingTool(
  'push',
  'Publish an index as a new version, test it, make it live, and delete old versions.',
)
  .option('--index <dir>', 'index folder (default: index of cdk.json)')
  .option('--ask <question>', 'question that the new version must answer (repeatable)', repeatable(String))
  .addOption(keepOption())
  .addOption(
    new Option('--canary <percent>', 'send only this share of requests to the new version').argParser(
      numberOption('--canary', 1, 99, 'a whole number'),
    ),
  )
  .addOption(
    new Option('--promote', 'make the version of --canary live, and push nothing').conflicts([
      'canary',
      'index',
      'ask',
    ]),
  )
  .examples(
    'npx polyseek push --ask "Can I leave my country?"',
    'npx polyseek push --canary 10',
    'npx polyseek push --promote',
  )
  .action(async (flags: Flags) => {
    const [{ promote, push }, { packageZip }] = await Promise.all([
      import('../functions/deployed/push.ts'),
      import('../functions/deployed/package-zip.ts'),
    ]);
    deferInterrupts();
    const settings = readSettings(flags.stage);
    const { index = settings.index, ask: questions = [], keep, canary } = flags;
    const outcome = flags.promote
      ? await promote(target(flags), keep)
      : await push(target(flags), {
          index,
          packageFor: (architecture) => packageZip(index, settings.collections, architecture),
          questions,
          keep,
          canary,
        });
    const { message, pruned } = outcome;
    const hasNews = pruned && pruned.deleted.length + pruned.failures.length > 0;
    print(flags.json, outcome, () => (hasNews ? `${message}\n${describePruned(pruned)}` : message));
  });
