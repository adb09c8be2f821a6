import { App } from 'aws-cdk-lib';
import type { Node } from 'constructs';
import { applyStage, DEFAULT_STACK } from '../functions/deployed/settings.ts';
import { messageOf } from '../index/kit/errors.ts';
import { SETTINGS, type SettingsInput } from './schema.ts';
import { SearchStack } from './stack.ts';

/** Settings of the app, beside those of the stack. */
const APP_SETTINGS = ['stack', 'stage', 'stages'];
/** Settings that `-c` separates by commas. */
const LISTS = ['cors', 'jwtAudience', 'subnetIds'];

/** The CDK app that cdk.json describes: one stack with its settings. Prints an error as a sentence. */
export function runApp(): void {
  try {
    // Synthesizes only a complete app. By default, an app also does so when the process ends after an error.
    const app = new App({ autoSynth: false });
    const { stack, settings } = readContext(app.node);
    new SearchStack(app, stack, settings);
    app.synth();
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}

/**
 * Reads settings from CDK's context: `cdk.json` with its stage, or `-c name=value`, whose numbers, booleans and comma-separated lists
 * arrive as text.
 * @returns the name of the stack, and its settings
 * @throws if the context has an unknown setting, which would otherwise be ignored silently, or no such stage
 */
export function readContext(node: Node): { stack: string; settings: SettingsInput } {
  // CDK's own names contain a colon or a slash, except for one.
  const own = Object.entries<unknown>(node.getAllContext()).filter(
    ([name]) => /^[\w-]+$/.test(name) && name !== 'cli-telemetry',
  );
  const names = [...APP_SETTINGS, ...SETTINGS];
  const given = own.map(([name, value]) => [name, typeof value === 'string' ? fromText(name, value) : value]);
  const context: Record<string, unknown> = { ...Object.fromEntries(given) };
  const { stack = DEFAULT_STACK, ...settings } = applyStage(context);
  for (const name of [...Object.keys(context), ...Object.keys(settings)])
    if (!names.includes(name))
      throw new Error(`Unknown setting ${name} in the context. Settings: ${names.join(', ')}.`);
  // The stack checks the values.
  return { stack: String(stack), settings: settings as SettingsInput };
}

function fromText(name: string, text: string): unknown {
  if (LISTS.includes(name)) return text.split(',').map((item) => item.trim());
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+$/.test(text) ? Number(text) : text;
}
