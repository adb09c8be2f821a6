import { rollback } from '../infra/remote/rollback.ts';
import { print } from './kit/command.ts';
import { changingTool, deferInterrupts, type Target, target } from './kit/remote.ts';

export const command = changingTool(
  'rollback',
  'Make an older version live (default: the newest one before the live version).',
)
  .argument('[version]', 'number of the version')
  .examples('npx polyseek rollback', 'npx polyseek rollback 7 --json')
  .action(async (version: string | undefined, flags: Target) => {
    deferInterrupts();
    const outcome = await rollback(target(flags), version);
    print(flags.json, outcome, () => outcome.message);
  });
