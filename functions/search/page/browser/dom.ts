/** An element with these attributes; texts among its children stay text, whatever is in them. */
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

/** An element of index.html. Throws where there is none, which only a mistake in the page can cause. */
export function find<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  selector: string,
): HTMLElementTagNameMap[Tag] {
  const element = document.querySelector<HTMLElementTagNameMap[Tag]>(`${tag}${selector}`);
  if (element) return element;
  throw new Error(`The page has no ${tag}${selector}.`);
}
