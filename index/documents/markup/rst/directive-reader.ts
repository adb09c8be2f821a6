import type { BlockList } from '../block-list.ts';
import { type Body, type BodyReader, bodyIn } from './body.ts';
import { type Directive, describesPython, directiveKind } from './directives.ts';
import { makeId } from './headings.ts';
import { csvRows, listRows } from './tables.ts';

/** What Sphinx prints before these directives. */
const VERSION_LABELS = new Map([
  ['versionadded', 'Added in version'],
  ['versionchanged', 'Changed in version'],
  ['deprecated', 'Deprecated since version'],
  ['versionremoved', 'Removed in version'],
]);

/** Reads directives. */
export class DirectiveReader {
  readonly #reader: BodyReader;
  /** Prefix of names that Python directives describe. */
  #module = '';

  constructor(reader: BodyReader) {
    this.#reader = reader;
  }

  read(directive: Directive, body: Body): void {
    const { name, argument, options, content } = directive;
    const { list } = body;
    const anchor = options.get('name');
    if (anchor) list.anchorNext(makeId(anchor));
    if (/^(?:py:)?(?:current)?module$/.test(name)) {
      this.#module = `${argument}.`;
      if (!name.includes('current')) list.anchorNext(`module-${argument}`);
      this.#reader.read(content, bodyIn(body));
      return;
    }
    if (name === 'csv-table' || name === 'list-table') {
      this.#table(directive, list);
      return;
    }
    switch (directiveKind(directive)) {
      case 'dropped':
        return;
      case 'literal':
        list.paragraph(options.get('caption') ?? '');
        list.paragraph(
          [...(content.length === 0 || name === 'math' ? argument.split('\n') : []), ...content].join('\n'),
        );
        return;
      case 'content':
        this.#content(directive, body);
        return;
      case 'titled':
        list.paragraph(this.#reader.inline(argument.replace(/\n/g, ' ')));
        this.#reader.read(content, bodyIn(body));
        return;
      case 'figure':
      case 'only-content':
        this.#reader.read(content, name === 'only' ? body : bodyIn(body));
        return;
      case 'described':
        this.#described(directive, body);
    }
  }

  #table({ name, argument, options, content }: Directive, list: BlockList): void {
    const cell = (text: string) => this.#reader.inline(text);
    list.paragraph(cell(argument));
    const delimiter = options.get('delim')?.slice(0, 1) || ',';
    const header = options.get('header') ?? '';
    list.table(
      name === 'list-table'
        ? listRows(content, cell)
        : csvRows([header, ...content].join('\n'), delimiter, cell),
    );
  }

  /** The argument is the start of the content, after a version if there is one. */
  #content({ name, argument, content }: Directive, body: Body): void {
    const [, version, text = ''] = VERSION_LABELS.has(name) ? (/^(\S+)\s*(.*)$/s.exec(argument) ?? []) : [];
    const label = version === undefined ? '' : `${VERSION_LABELS.get(name)} ${version}`;
    const start = label && (text || content.length > 0) ? `${label}: ${text}` : label || argument;
    this.#reader.read(
      [...start.split('\n'), ...(start && content.length > 0 ? ['', ...content] : content)],
      bodyIn(body),
    );
  }

  /** The description of a function, a class or the like. */
  #described({ name, argument, content }: Directive, body: Body): void {
    const own = /^(?:[\w ]*\s)?(\w+(?:\.\w+)*)/.exec(argument)?.[1];
    const isFull = own?.includes('.') && own.split('.')[0] === this.#module.split('.')[0];
    const full =
      describesPython(name) && own ? (isFull ? own : `${body.prefix || this.#module}${own}`) : undefined;
    if (full) body.list.anchorNext(full);
    const prefix = full && /class|exception/.test(name) ? `${full}.` : body.prefix;
    this.#reader.titled(argument, content, { ...body, prefix });
  }
}
