/**
 * Moves the focus between a field and the links below it. The links stay in the tab order: a list of links needs no roles that
 * would hide the texts below them from screen readers.
 * @param links returns the links at present, in order
 */
export function moveByArrows(
  container: HTMLElement,
  field: HTMLElement,
  links: () => readonly HTMLElement[],
): void {
  container.addEventListener('keydown', (event) => {
    const { key, target, isComposing, ctrlKey, metaKey, altKey, shiftKey } = event;
    if (isComposing || ctrlKey || metaKey || altKey || shiftKey || !(target instanceof Element)) return;
    const all = links();
    // A button in a result moves to the result after or before it.
    const result = target.closest('article');
    const at = all.findIndex((link) => link === target || (result && link.closest('article') === result));
    if (target !== field && at === -1) return;
    const next = { ArrowDown: all[at + 1], ArrowUp: at === 0 ? field : all[at - 1] }[key];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}
