import { make } from '../../browser/dom.ts';
import type { Texts } from '../../browser/texts.ts';
import { hotkeyName, isCtrlK } from './hotkeys.ts';
import { icon } from './icons.ts';

export interface SearchDialog {
  /** The button that opens the dialog, which a page can replace, and the dialog. */
  nodes: Node[];
  open(): void;
  close(): void;
}

/**
 * Puts a panel into a dialog. The browser's own `<dialog>` keeps the focus inside, and returns it after closing.
 * @param showsHotkey whether the button names the keys that open the dialog
 * @param opened called after opening, to move the focus
 */
export function createDialog(
  panel: HTMLElement,
  texts: Texts,
  showsHotkey: boolean,
  opened: () => void,
): SearchDialog {
  const name = texts.of('search');
  const dialog = make('dialog', { part: 'dialog', 'aria-label': name }, panel);
  const keys = make('kbd', { 'aria-hidden': 'true' }, hotkeyName());
  const button = make(
    'button',
    { type: 'button', class: 'open', part: 'button', 'aria-haspopup': 'dialog' },
    icon('search'),
    make('span', {}, name),
    ...(showsHotkey ? [keys] : []),
  );
  if (showsHotkey) button.setAttribute('aria-keyshortcuts', 'Control+K Meta+K');
  const slot = make('slot', { name: 'button' }, button);
  let pressed: EventTarget | null = null;

  function open(): void {
    if (!dialog.open) dialog.showModal();
    opened();
  }

  slot.addEventListener('click', open);
  dialog.addEventListener('keydown', (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    // A search field would use the first Escape to empty itself.
    if (event.key !== 'Escape' && !isCtrlK(event)) return;
    event.preventDefault();
    dialog.close();
  });
  // Only a press and a release on the backdrop close, not a selection of text that ends there.
  dialog.addEventListener('pointerdown', ({ target }) => {
    pressed = target;
  });
  dialog.addEventListener('click', ({ target }) => {
    if (target === dialog && pressed === dialog) dialog.close();
  });

  return { nodes: [slot, dialog], open, close: () => dialog.close() };
}
