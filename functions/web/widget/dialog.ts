import { make } from '../browser/dom.ts';
import type { Texts } from '../browser/texts.ts';

/**
 * Puts a panel into a dialog, beside a button that opens it, which a page can replace and which may name the keys that open the dialog.
 * The browser's own `<dialog>` keeps the focus inside, and returns it after closing. `opened` moves it after opening.
 */
export function createDialog(panel: HTMLElement, texts: Texts, showsHotkey: boolean, opened: () => void) {
  const name = texts.of('search');
  const dialog = make('dialog', { part: 'dialog', 'aria-label': name }, panel);
  const keys = /^(Mac|iP)/.test(navigator.platform) ? '⌘K' : 'Ctrl K';
  const button = make(
    'button',
    { type: 'button', class: 'open', part: 'button', 'aria-haspopup': 'dialog' },
    icon('search'),
    make('span', {}, name),
    ...(showsHotkey ? [make('kbd', { 'aria-hidden': 'true' }, keys)] : []),
  );
  if (showsHotkey) button.setAttribute('aria-keyshortcuts', 'Control+K Meta+K');
  const slot = make('slot', { name: 'button' }, button);
  let pressed: EventTarget | null = null;
  const page = document.documentElement.style;
  let overflow = '';

  function open(): void {
    if (!dialog.open) {
      dialog.showModal();
      // The page behind it does not scroll.
      overflow = page.overflow;
      page.overflow = 'hidden';
    }
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
  dialog.addEventListener('close', () => {
    page.overflow = overflow;
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

/** Whether a key event is text for a field, also for one in a shadow root. */
function isTyped(event: KeyboardEvent): boolean {
  const [target] = event.composedPath();
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select');
}

export function isCtrlK({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): boolean {
  return key.toLowerCase() === 'k' && ctrlKey !== metaKey && !altKey && !shiftKey;
}

/** Whether a key opens the search, by the attribute `hotkeys`: `off` for none, `ctrl-k` for that alone. */
export function isHotkey(event: KeyboardEvent, setting: string | null): boolean {
  if (setting === 'off' || event.defaultPrevented || event.isComposing || isTyped(event)) return false;
  if (isCtrlK(event)) return true;
  const { key, ctrlKey, metaKey, altKey } = event;
  return setting !== 'ctrl-k' && key === '/' && !ctrlKey && !metaKey && !altKey;
}

const SVG = 'http://www.w3.org/2000/svg';

const PATHS = {
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20 20',
  close: 'm6 6 12 12M18 6 6 18',
};

/** Draws an icon, which screen readers skip. */
export function icon(name: keyof typeof PATHS): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
