/** Makes an element with these attributes. Strings among its children become text, never markup. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Moves the focus between a field and the links below it with the arrow keys. The links stay in the tab order: a list of links needs no
 * roles that would hide the texts below them from screen readers.
 * @param links returns the links at present, in order
 */
export function moveByArrows(
  container: HTMLElement,
  field: HTMLElement,
  links: () => readonly HTMLElement[],
): void {
  container.addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (event.shiftKey || !isPlainKey(event) || !(target instanceof Element)) return;
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

/** Whether a key is pressed without Ctrl, ⌘ and Alt, and neither composes a word nor has done something else. */
export function isPlainKey({
  defaultPrevented,
  isComposing,
  ctrlKey,
  metaKey,
  altKey,
}: KeyboardEvent): boolean {
  return !defaultPrevented && !isComposing && !ctrlKey && !metaKey && !altKey;
}
