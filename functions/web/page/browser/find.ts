/** Finds an element of index.html. Throws if it does not exist. */
export function find<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  selector: string,
): HTMLElementTagNameMap[Tag] {
  const element = document.querySelector<HTMLElementTagNameMap[Tag]>(`${tag}${selector}`);
  if (element) return element;
  throw new Error(`The page has no ${tag}${selector}.`);
}
