import { styleText } from 'node:util';
import { counted, print, Tool } from './kit/command.ts';
import { profileOption, stageOption } from './kit/deployed.ts';
import type { Check, Checks, Status } from './kit/doctor-checks.ts';
import { jsonOption } from './kit/flags.ts';

const COLOURS = { ok: 'green', warning: 'yellow', problem: 'red' } as const;

export const command = new Tool(
  'doctor',
  'Check this machine, this project and its deployment: what works, and what to do about the rest. Exits with 1 if polyseek does not work here.',
)
  .option('--index <dir>', 'folder of the index (default: that of polyseek.config.json)')
  .addOption(stageOption())
  .addOption(profileOption())
  .addOption(jsonOption())
  .examples('npx polyseek doctor', 'npx polyseek doctor --json')
  .action(async ({ index, stage, json }: { index?: string; stage?: string; json?: boolean }) => {
    const { checkDeployment, checkMachine, checkProject } = await import('./kit/doctor-checks.ts');
    const checks: Checks = {
      'This machine': await checkMachine(),
      'This project': await checkProject(index),
      Deployment: await checkDeployment(stage),
    };
    const counts: Record<Status, number> = { ok: 0, warning: 0, problem: 0 };
    for (const { status } of Object.values(checks).flat()) counts[status]++;
    print(json, { checks, counts }, () => text(checks, counts));
    process.exitCode = counts.problem > 0 ? 1 : 0;
  });

function text(checks: Checks, { warning, problem }: Record<Status, number>): string {
  const sections = Object.entries(checks).map(([heading, list]) =>
    [styleText('bold', heading), ...list.map(line)].join('\n'),
  );
  return [...sections, `${counted(problem, 'problem')}, ${counted(warning, 'warning')}`].join('\n\n');
}

function line({ name, status, found, fix }: Check): string {
  const first = `  ${styleText(COLOURS[status], status.padEnd(8))} ${name}: ${found}`;
  return fix ? `${first}\n           ${fix}` : first;
}
