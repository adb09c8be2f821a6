import { styleText } from 'node:util';
import { print, Tool } from './kit/command.ts';
import { profileOption, stageOption } from './kit/deployed.ts';
import type { Check, Checks, Status } from './kit/doctor-checks.ts';
import { jsonOption } from './kit/flags.ts';

const COLOURS: Record<Status, 'green' | 'yellow' | 'red'> = {
  ok: 'green',
  warning: 'yellow',
  problem: 'red',
};

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
    const all = Object.values(checks).flat();
    const counts = Object.fromEntries(
      (['ok', 'warning', 'problem'] satisfies Status[]).map((status) => [
        status,
        all.filter((check) => check.status === status).length,
      ]),
    ) as Record<Status, number>;
    print(json, { checks, counts }, () => text(checks, counts));
    process.exitCode = counts.problem > 0 ? 1 : 0;
  });

function text(checks: Checks, { warning, problem }: Record<Status, number>): string {
  const sections = Object.entries(checks).map(([heading, list]) =>
    [styleText('bold', heading), ...list.map(line)].join('\n'),
  );
  const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
  return [...sections, `${plural(problem, 'problem')}, ${plural(warning, 'warning')}`].join('\n\n');
}

function line({ name, status, found, fix }: Check): string {
  const first = `  ${styleText(COLOURS[status], status.padEnd(8))} ${name}: ${found}`;
  return fix ? `${first}\n           ${fix}` : first;
}
