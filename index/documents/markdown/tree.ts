import type { Definition, Heading, Nodes, Root, RootContent } from 'mdast';
// Adds the nodes of MDX to the types of mdast.
import type {} from 'mdast-util-mdx';
import { toString as textOf } from 'mdast-util-to-string';
import { type Block, tableText } from '../document.ts';
import { MAX_DEPTH, nestedTooDeep } from '../file.ts';
import { htmlBlocks } from '../html/html-page.ts';
import { unwrap } from '../plain/paragraphs.ts';

/** A line break that the author asked for, in inline text. Others are a single `\n`. */
const HARD_BREAK = '\n\n';
/** Images that report the state of a build, a version or a licence. */
const BADGE =
  /badge|shields\.io|(?:travis-ci|codecov|coveralls|circleci|appveyor|badgen|opencollective|packagephobia|bundlephobia|gitpod|deepsource|codacy|codeclimate|sonarcloud|snyk|david-dm|greenkeeper|nodei)\.|isitmaintained/i;
/** `{#id}` or `{#id .class}` after a heading, or `{: #id }` as in kramdown. */
const EXPLICIT_ID = /[ \t]*\{:?[ \t]*#([^\s{}#]+)[^{}]*\}[ \t]*$/;
/** `[!NOTE]` at the start of a quote, as on GitHub; Obsidian allows `-` and `+` after it. */
const ALERT = /^\[![\w-]+\][-+]?[ \t]*/;
/** Directives of MyST that are no text. */
const DROPPED_CODE = /^\{(?:toctree|contents|image|include|literalinclude|raw|tableofcontents)\}/;

/** Names that text inside JSX elements of MDX has: `<Callout title="…">`, `<TabItem label="…">`. */
const TEXT_ATTRIBUTES = new Set(['title', 'label', 'summary', 'heading', 'caption', 'question']);

type JsxElement = Extract<Nodes, { type: 'mdxJsxFlowElement' | 'mdxJsxTextElement' }>;

/** What reading a tree needs beside the tree. */
interface Context {
  path: string;
  slugger: Slugger;
  definitions: Map<string, Definition>;
}

/**
 * Reads the blocks of a Markdown or MDX tree. Headings get the anchors that GitHub gives them, unless they declare one.
 * @param path of the file, for errors
 * @param slugger of the document
 * @throws if emphasis and links nest deeper than the limit
 */
export function treeBlocks(tree: Root, path: string, slugger: Slugger): Block[] {
  if (isTooDeepTree(tree)) throw nestedTooDeep(path);
  const definitions = tree.children.filter((node) => node.type === 'definition');
  const context: Context = {
    path,
    slugger,
    definitions: new Map(definitions.map((definition) => [definition.identifier, definition])),
  };
  return tree.children.flatMap((node) => blocksOf(node, context)).filter((block) => block.text !== '');
}

/** Without recursion, since nodes may be nested too deep for that. */
function isTooDeepTree(tree: Nodes): boolean {
  let level: Nodes[] = [tree];
  // Each list is a node for itself and one for its item.
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > 3 * MAX_DEPTH) return true;
    level = level.flatMap((node): Nodes[] => ('children' in node ? node.children : []));
  }
  return false;
}

function blocksOf(node: RootContent, context: Context): Block[] {
  switch (node.type) {
    case 'heading':
      return [headingBlock(node, context)];
    case 'html':
      return htmlBlocks(node.value, context.path).map((block) =>
        block.kind === 'heading'
          ? { ...block, anchor: block.anchor ?? context.slugger.slug(block.text) }
          : block,
      );
    case 'mdxJsxFlowElement':
      return jsxBlocks(node, context);
    case 'paragraph':
      // Elements in one line are inline for the parser.
      if (node.children.every((child) => child.type === 'mdxJsxTextElement' || isBlank(child)))
        return node.children.flatMap((child) =>
          child.type === 'mdxJsxTextElement' ? jsxBlocks(child, context) : [],
        );
      return [{ kind: 'paragraph', text: inlineText(node, context) }];
    default:
      return paragraphsOf(node, context).map((text) => ({ kind: 'paragraph', text }));
  }
}

function isBlank(node: Nodes): boolean {
  return node.type === 'text' && node.value.trim() === '';
}

function jsxBlocks(node: JsxElement, context: Context): Block[] {
  const level = /^h([1-6])$/.exec(node.name ?? '')?.[1];
  if (level !== undefined) {
    const text = inlineText(node, context).replaceAll('\n', ' ');
    return [{ kind: 'heading', level: Number(level), text, anchor: context.slugger.slug(text) }];
  }
  const attributes = attributeTexts(node).map((text): Block => ({ kind: 'paragraph', text }));
  return [
    ...attributes,
    ...(node.type === 'mdxJsxFlowElement'
      ? node.children.flatMap((child) => blocksOf(child, context))
      : [{ kind: 'paragraph' as const, text: inlineText(node, context) }]),
  ];
}

function headingBlock(node: Heading, context: Context): Block {
  const raw = inlineText(node, context).replaceAll('\n', ' ');
  const explicit = EXPLICIT_ID.exec(raw)?.[1];
  const text = explicit === undefined ? raw : raw.replace(EXPLICIT_ID, '');
  const anchor = explicit ?? context.slugger.slug(slugText(node).trim());
  return { kind: 'heading', level: node.depth, text, anchor };
}

/** A heading's text for its slug: GitHub leaves out images and HTML. */
function slugText(node: Nodes): string {
  if (/^(?:image|imageReference|html|mdx(?:Text|Flow)Expression)$/.test(node.type)) return '';
  return 'children' in node ? node.children.map(slugText).join('') : textOf(node);
}

/** A tight list becomes one paragraph with a line per item, a loose list a paragraph per item, a table a line per row. */
function paragraphsOf(node: Nodes, context: Context): string[] {
  switch (node.type) {
    case 'paragraph':
    case 'heading':
      return [inlineText(node, context)];
    case 'blockquote':
      return node.children
        .flatMap((child) => paragraphsOf(child, context))
        .map((text, i) => (i === 0 ? text.replace(ALERT, '') : text));
    case 'footnoteDefinition':
      return node.children.flatMap((child) => paragraphsOf(child, context));
    case 'mdxJsxFlowElement':
      return [...attributeTexts(node), ...node.children.flatMap((child) => paragraphsOf(child, context))];
    case 'list': {
      const items = node.children.map((item) =>
        item.children.flatMap((child) => paragraphsOf(child, context)).join('\n'),
      );
      return node.spread || node.children.some((item) => item.spread) ? items : [items.join('\n')];
    }
    case 'table':
      return [tableText(node.children.map((row) => row.children.map((cell) => inlineText(cell, context))))];
    case 'code':
      return DROPPED_CODE.test(node.lang ?? '') ? [] : [node.value];
    case 'html':
      return htmlBlocks(node.value, context.path).map((block) => block.text);
    default:
      return [];
  }
}

/** The attributes of a JSX element that are text: `title="…"`. */
function attributeTexts(node: JsxElement): string[] {
  return node.attributes.flatMap((attribute) =>
    attribute.type === 'mdxJsxAttribute' &&
    TEXT_ATTRIBUTES.has(attribute.name) &&
    typeof attribute.value === 'string'
      ? [attribute.value]
      : [],
  );
}

function inlineText(node: Nodes, context: Context): string {
  const lines = rawText(node, context).split(HARD_BREAK);
  return lines
    .map((line) => unwrap(line.split('\n')))
    .join('\n')
    .trim();
}

function rawText(node: Nodes, context: Context): string {
  switch (node.type) {
    case 'break':
      return HARD_BREAK;
    case 'html':
      return /^<br\b/i.test(node.value) ? HARD_BREAK : '';
    case 'image':
      return BADGE.test(node.url) ? '' : textOf(node);
    case 'imageReference':
      return BADGE.test(context.definitions.get(node.identifier)?.url ?? '') ? '' : textOf(node);
    case 'mdxJsxTextElement':
      if (node.name === 'br') return HARD_BREAK;
      break;
    case 'mdxTextExpression':
    case 'mdxFlowExpression':
    case 'mdxjsEsm':
      return '';
  }
  return 'children' in node ? node.children.map((child) => rawText(child, context)).join('') : textOf(node);
}

/** Everything but letters, marks, digits, connectors such as `_`, hyphens and spaces. */
const DROPPED = /[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\- ]/gu;

/**
 * Makes the ids that GitHub gives to headings: lower case, without punctuation, spaces as hyphens, and a number for repeated ones. The
 * rule is that of the package github-slugger 2.
 */
export class Slugger {
  readonly #counts = new Map<string, number>();

  slug(heading: string): string {
    const slug = heading.toLowerCase().replace(DROPPED, '').replaceAll(' ', '-');
    let unique = slug;
    let count = this.#counts.get(slug) ?? 0;
    while (this.#counts.has(unique)) unique = `${slug}-${++count}`;
    this.#counts.set(slug, count);
    if (unique !== slug) this.#counts.set(unique, 0);
    return unique;
  }
}
