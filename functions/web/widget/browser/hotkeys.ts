/** Whether a key event is text for a field, also for one in a shadow root. */
function isTyped(event: KeyboardEvent): boolean {
  const [target] = event.composedPath();
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select');
}

/** Whether an event is Ctrl-K, or ⌘K. */
export function isCtrlK({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): boolean {
  return key.toLowerCase() === 'k' && ctrlKey !== metaKey && !altKey && !shiftKey;
}

/**
 * Whether a key opens the search.
 * @param setting the attribute `hotkeys`: `off` for none, `ctrl-k` for that alone
 */
export function isHotkey(event: KeyboardEvent, setting: string | null): boolean {
  if (setting === 'off' || event.defaultPrevented || event.isComposing || isTyped(event)) return false;
  if (isCtrlK(event)) return true;
  const { key, ctrlKey, metaKey, altKey } = event;
  return setting !== 'ctrl-k' && key === '/' && !ctrlKey && !metaKey && !altKey;
}

/** What is written on the button: the keys of this system. */
export const hotkeyName = (): string => (/^(Mac|iP)/.test(navigator.platform) ? '⌘K' : 'Ctrl K');
