import type { Reader } from '../input.ts';
import { manKind, readManPage } from '../markup/man.ts';

export const read: Reader = async function* (input) {
  const text = await input.text();
  const kind = manKind(text);
  const skip = (reason: string, fix?: string) =>
    input.report({ kind: 'skipped', place: input.path, reason, ...(fix && { fix }) });
  // Many other files end in `.1`, such as logs and libraries.
  if (kind === 'other') skip('unknown format');
  else if (kind === 'mdoc') skip('manual page with mdoc macros', 'Convert it with `mandoc -T html`.');
  else if (kind === 'redirection') skip('only names another manual page');
  else yield readManPage(text, input.source, input.path);
};
