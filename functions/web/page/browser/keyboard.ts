/**
 * Enables the keys of the page: `/` focuses the question, arrows move through the links, Escape leaves.
 * @param links returns the links that arrows move through, in reading order
 * @param leave called for Escape outside menus
 */
export function enableKeys(
  question: HTMLInputElement,
  links: () => readonly HTMLElement[],
  leave: () => void,
): void {
  document.addEventListener('keydown', (event) => {
    const { key, target, defaultPrevented, isComposing, ctrlKey, metaKey, altKey } = event;
    if (defaultPrevented || isComposing || ctrlKey || metaKey || altKey || !(target instanceof Element))
      return;
    const isTyping = target.matches('input:not([type=checkbox], [type=radio])');
    if (key === '/' && !isTyping) {
      event.preventDefault();
      question.focus();
      question.select();
    } else if (key === 'Escape' && (target === question || !isTyping)) {
      event.preventDefault();
      leave();
    } else if (key === 'ArrowDown' || key === 'ArrowUp') {
      const next = neighbourOf(target, key === 'ArrowDown' ? 1 : -1);
      if (!next) return;
      event.preventDefault();
      next.focus();
    }
  });

  /** The link after or before the focused one, or the question above the first. */
  function neighbourOf(target: Element, step: 1 | -1): HTMLElement | undefined {
    const all = links();
    if (target === question) return step === 1 ? all[0] : undefined;
    // A button in a result moves to the result after or before it.
    const result = target.closest('article');
    const at = all.findIndex((link) => link === target || (result && link.closest('article') === result));
    if (at === -1) return undefined;
    return all[at + step] ?? (step === -1 ? question : undefined);
  }
}
