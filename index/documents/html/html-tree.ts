import { type DefaultTreeAdapterTypes, defaultTreeAdapter } from 'parse5';
import { nestedTooDeep } from '../file.ts';

export type Element = DefaultTreeAdapterTypes.Element;
export type Node = DefaultTreeAdapterTypes.Node;

/** Elements without text that readers see. */
export const DROPPED = new Set(
  'script style template noscript head iframe noembed noframes title desc defs metadata'.split(' '),
);

/** Elements that start and end a block. */
export const BLOCKS = new Set(
  `address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer
  form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol optgroup option p pre search section select
  summary table tbody td textarea tfoot th thead tr ul`.split(/\s+/),
);

/** How deep elements may nest: as in browsers, which flatten deeper pages. */
const MAX_ELEMENT_DEPTH = 512;

/**
 * Builds the parser's usual tree, but stops at too many open elements: for many tags, the parser walks through all of them.
 * @param path of the file, for the error
 */
export function limitedAdapter(path: string): typeof defaultTreeAdapter {
  let depth = 0;
  return {
    ...defaultTreeAdapter,
    onItemPush: () => {
      if (++depth > MAX_ELEMENT_DEPTH) throw nestedTooDeep(path, MAX_ELEMENT_DEPTH);
    },
    onItemPop: () => {
      depth--;
    },
  };
}

interface Visitor {
  /** Returns whether to visit the element's children. Otherwise `leave` is not called either. */
  enter(element: Element): boolean;
  leave?(element: Element): void;
  text?(value: string): void;
}

/** Visits a node and its descendants in document order. */
export function walk(root: Node, visitor: Visitor): void {
  const stack: (Node | { left: Element })[] = [root];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if ('left' in next) visitor.leave?.(next.left);
    else if ('value' in next) visitor.text?.(next.value);
    else if ('childNodes' in next) {
      if ('tagName' in next) {
        if (!visitor.enter(next)) continue;
        stack.push({ left: next });
      }
      for (let i = next.childNodes.length - 1; i >= 0; i--) stack.push(next.childNodes[i]!);
    }
  }
}

/** The elements at or below a node that fulfil a condition, outermost only. */
export function findAll(root: Node, isWanted: (element: Element) => boolean): Element[] {
  const found: Element[] = [];
  walk(root, {
    enter(element) {
      if (!isWanted(element)) return true;
      found.push(element);
      return false;
    },
  });
  return found;
}

export function childElements(node: { childNodes: Node[] }): Element[] {
  return node.childNodes.filter((child): child is Element => 'tagName' in child);
}

export function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((each) => each.name === name)?.value.trim();
}

/** The words of an attribute that contains a list, such as `class`, in lower case. */
export function words(element: Element, name: string): string[] {
  return attribute(element, name)?.toLowerCase().split(/\s+/) ?? [];
}

export function isHeading({ tagName }: Element): boolean {
  return /^h[1-6]$/.test(tagName);
}
