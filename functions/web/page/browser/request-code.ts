import type { Texts } from '../../browser/texts.ts';
import { copyText } from './clipboard.ts';
import { find } from './find.ts';
import { type CodeLanguage, type ShownRequest, snippets } from './snippets.ts';

/**
 * Makes the button that shows the request as code.
 * @param requestOf returns the current request, or undefined if there is none
 * @returns shows the current request
 */
export function createRequestCode(texts: Texts, requestOf: () => ShownRequest | undefined): () => void {
  const button = find('button', '#code');
  const section = find('section', '#request');
  const code = find('code', '');

  function show(open = button.ariaExpanded === 'true'): void {
    const request = requestOf();
    const isOpen = open && request !== undefined;
    button.hidden = request === undefined;
    button.ariaExpanded = String(isOpen);
    section.hidden = !isOpen;
    const language = find('input', '[name=as]:checked').value as CodeLanguage;
    if (request) code.textContent = snippets[language](request);
  }

  button.addEventListener('click', () => show(button.ariaExpanded !== 'true'));
  section.addEventListener('change', () => show(true));
  find('button', '#copy').addEventListener('click', () => copyText(code, find('span', '#copied'), texts));
  return show;
}
