/** How the text of a directive is read. */
type Kind = 'dropped' | 'literal' | 'titled' | 'content' | 'figure' | 'only-content';

const KINDS: Record<Kind, string> = {
  dropped:
    'toctree contents sectnum image raw include literalinclude index meta highlight default-role role tabularcolumns autosummary automodule autoclass autofunction automethod autodata autoattribute autoexception title sectionauthor codeauthor moduleauthor testsetup testcleanup header footer target-notes sphinx_gallery_tag date unicode replace graphviz digraph graph inheritance-diagram bibliography program restructuredtext-test-directive',
  literal:
    'code code-block sourcecode parsed-literal math prompt doctest testcode testoutput productionlist ipython console uml mermaid highlight-code code-include plantuml',
  /** The argument is a title, and the content is text. */
  titled:
    'admonition topic sidebar rubric tab tab-item group-tab dropdown card collapse details grid-item-card table centered container-title deprecated-removed',
  /** The argument is the start of the content. */
  content:
    'note warning tip hint important attention caution danger error seealso todo compound epigraph highlights pull-quote versionadded versionchanged deprecated versionremoved impl-detail availability',
  figure: 'figure',
  'only-content':
    'only class container ifconfig tabs tab-set grid hlist glossary line-block rst-class cssclass compound role-content',
};
const KIND_OF = new Map(
  (Object.keys(KINDS) as Kind[]).flatMap((kind) =>
    KINDS[kind].split(' ').map((name) => [name, kind] as const),
  ),
);
/** Describe a name of a Python program. */
const PYTHON =
  /^(?:py:)?(?:function|class|method|attribute|data|exception|decorator|classmethod|staticmethod|property|coroutinefunction|coroutinemethod|awaitablefunction)$/;

/** A directive: `.. name:: argument`, options and content. */
export interface Directive {
  name: string;
  argument: string;
  options: Map<string, string>;
  content: string[];
}

/** The kind of a directive, or `described`: it describes something that its arguments name, such as a function. */
export function directiveKind({ name, argument, content }: Directive): Kind | 'described' {
  // In docutils, `class` sets the style of its content. In Sphinx, it describes a class.
  if (name === 'class' && /[A-Z(.]/.test(argument)) return 'described';
  return KIND_OF.get(name) ?? (content.length > 0 || PYTHON.test(name) ? 'described' : 'dropped');
}

export function describesPython(name: string): boolean {
  return PYTHON.test(name);
}

/** Reads a directive from the lines of its block, where the lines after the first are dedented. */
export function readDirective(name: string, rest: string, lines: string[]): Directive {
  const argument = [rest.trim()];
  let i = 0;
  while (i < lines.length && lines[i]!.trim() !== '' && !OPTION.test(lines[i]!))
    argument.push(lines[i++]!.trim());
  const options = new Map<string, string>();
  let last: string | undefined;
  for (; i < lines.length && lines[i]!.trim() !== ''; i++) {
    const [, key, value = ''] = OPTION.exec(lines[i]!) ?? [];
    if (key !== undefined) {
      last = key;
      options.set(key, value.trim());
    } else if (last !== undefined) options.set(last, `${options.get(last)} ${lines[i]!.trim()}`.trim());
  }
  return {
    name: name.toLowerCase(),
    argument: argument.filter((part) => part !== '').join('\n'),
    options,
    content: trimBlank(lines.slice(i)),
  };
}

const OPTION = /^:([\w-]+):(?:[ ]+(.*))?$/;

/** Removes blank lines at the start and at the end. */
export function trimBlank(lines: string[]): string[] {
  let start = 0;
  let end = lines.length;
  while (start < end && lines[start]!.trim() === '') start++;
  while (end > start && lines[end - 1]!.trim() === '') end--;
  return lines.slice(start, end);
}
