import type { Reader } from '../input.ts';
import { manKind, readManPage } from '../markup/man/page.ts';

export const read: Reader = async function* (input) {
  const text = await input.text();
  const kind = manKind(text);
  // Many other files end in `.1`, such as logs and libraries.
  if (kind === 'other') input.report({ kind: 'skipped', place: input.path, reason: 'unknown format' });
  else if (kind === 'redirection')
    input.report({ kind: 'skipped', place: input.path, reason: 'only names another manual page' });
  else yield readManPage(text, input.source, input.path);
};
