import type { Document } from '../document.ts';
import type { Reader } from '../input.ts';
import { BlockList } from './block-list.ts';

/** A map of names to values, from a list of both in turns that white space separates. */
function pairsOf(list: string): ReadonlyMap<string, string> {
  return new Map([...list.matchAll(/(\S+)\s+(\S+)/g)].map(([, name, value]) => [name!, value!]));
}

/** Special characters of groff_char(7), by name. Accented letters are composed. */
const CHARACTERS = pairsOf(`
  hy - - - mi − en – em — lq “ rq ” oq ‘ cq ’ aq ' dq " Bq „ bq ‚ Fo « Fc » fo ‹ fc › bu • co © rg ® tm ™ de ° mu × di ÷ +- ±
  <= ≤ >= ≥ != ≠ == ≡ ~= ≅ ~~ ≈ -> → <- ← <> ↔ ua ↑ da ↓ rA ⇒ ti ~ ha ^ ga \` aa ´ rs \\ sl / ul _ ru _ ba | br │ or | at @ sh #
  Do $ ct ¢ eu € Eu € Po £ Ye ¥ ss ß AE Æ ae æ OE Œ oe œ /O Ø /o ø /L Ł /l ł -D Ð Sd ð TP Þ Tp þ .i ı r? ¿ r! ¡ Of ª Om º
  S1 ¹ S2 ² S3 ³ 12 ½ 14 ¼ 34 ¾ ps ¶ sc § dg † dd ‡ sq □ ci ○ if ∞ sr √ mo ∈ es ∅ no ¬ md ⋅ pc · pl + eq = OK ✓ CR ↵ la ⟨ ra ⟩
  lB [ rB ] lC { rC } fm ′ sd ″ *a α *b β *g γ *d δ *e ε *l λ *m μ *p π *s σ *f φ *w ω *D Δ *S Σ *W Ω`);
const ACCENTS = pairsOf(
  '\' \u0301 ` \u0300 ^ \u0302 : \u0308 ~ \u0303 , \u0327 v \u030C o \u030A - \u0304 " \u030B',
);
/** Escapes of one letter that stand for another. */
const LETTERS: Record<string, string> = { e: '\\', "'": '´', t: '\t', '~': ' ', '0': ' ' };
/** Strings that macro packages define. */
const STRINGS = pairsOf(`lq “ rq ” R ® Tm ™ Aq ' -- –`);

const NAME = String.raw`(?:\((..)|\[([^\]]*)\]|(.))`;
/** Escape sequences: of a character, a string, a font or number, a movement, a character code, a comment, and of one letter. */
const ESCAPE = new RegExp(
  String.raw`\\(?:\((..)|\[([^\]]*)\]|\*${NAME}|[fFmMgkVYn][-+]?${NAME}|s(?:[-+]?(?:\[[^\]]*\]|'[^']*'|\(\d\d|[123]\d|\d))|[hvwlLDXbxHSRABoC]'[^']*'|N'(\d{1,7})'|["#].*|(.|$))`,
  'gs',
);
/** UTF-16 code units of a string. */
const MAX_STRING = 1_000;

/** Fonts. Those that alternate between arguments join them. */
const FONTS = /^(?:B|I|R|SM|CW|C|CB|CR)$/;
const ALTERNATING = /^(?:BI|BR|IB|IR|RB|RI|SB)$/;
const PARAGRAPHS = /^(?:PP|P|LP|HP|RS|RE|in)$/;
const CODE = /^(?:nf|EX|Vb)$/;
const END_OF_CODE = /^(?:fi|EE|Ve)$/;
/** Macros that a page must not redefine. */
const BUILT_IN =
  /^(?:B|I|R|SM|[BIRS][BIR]|PP|P|LP|HP|RS|RE|TH|SH|SS|TP|TQ|IP|MR|OP|SY|YS|UR|UE|MT|ME|EX|EE|TS)$/;
/** Lines that macros of a page may add in total. */
const MAX_ADDED = 100_000;
/** A tag that is only a bullet. */
const BULLET = /^(?:[•·◦○□*+o–—-]|-{1,2})$/;
/** Conditions that hold where pages are text. */
const HOLDS = /^(?:n|!t|\\n\(\.g|\\n\[\.g\])$/;

/** The first part of a text, in which a page shows that it is one. */
const START = 100_000;

/** `page`: a manual page; `mdoc`: one with the macros of BSD; `redirection`: one that only names another; `other`: another text. */
export function manKind(text: string): 'page' | 'mdoc' | 'redirection' | 'other' {
  const start = text.slice(0, START);
  if (/^[.'][ \t]*(?:TH|SH)\b/m.test(start)) return 'page';
  if (/^[.'][ \t]*(?:Dd|Dt|Sh)\b/m.test(start)) return 'mdoc';
  return /^[.'][ \t]*so[ \t]+\S/m.test(start) ? 'redirection' : 'other';
}

/** What is reported of files that are no page. Many other files end in `.1`, such as logs and libraries. */
const SKIPPED = {
  mdoc: { reason: 'manual page with mdoc macros', fix: 'Convert it with `mandoc -T html`.' },
  redirection: { reason: 'only names another manual page' },
  other: { reason: 'unknown format' },
};

/**
 * Reads a manual page with man macros, and expands those that the page defines. The title is its name and section:
 * `tar(1)`. The language is from its folder, such as `man/pt_BR/man1`.
 */
export const readMan: Reader = async function* (input) {
  const text = await input.text();
  const kind = manKind(text);
  if (kind === 'page') yield pageOf(text, input.source, input.path);
  else input.report({ kind: 'skipped', place: input.path, ...SKIPPED[kind] });
};

function pageOf(text: string, source: string, path: string): Document {
  const { name, section, list } = new ManReader(text);
  const [, fileName, fileSection] = /([^/\\]+)\.(\d\w*|man)$/.exec(source) ?? [];
  const number = section?.trim() || (/^\d/.test(fileSection ?? '') ? fileSection : undefined);
  // `.TH` often has the name in capitals.
  const own = [fileName, ...(list.blocks[1]?.text.split(/[\s,]+/).slice(0, 20) ?? [])].find(
    (word) => word?.toLowerCase() === name?.trim().toLowerCase(),
  );
  const base = own ?? (name?.trim() || fileName);
  const title = base && number ? `${base}(${number})` : base;
  return {
    source,
    title,
    lang: languageOf(path) ?? languageOf(source),
    blocks: title ? [{ kind: 'heading', level: 1, text: title }, ...list.blocks] : list.blocks,
  };
}

function languageOf(path: string): string | undefined {
  const folder = /(?:^|\/)([a-z]{2,3}(?:_[A-Z]{2})?)(?:[.@][^/]*)?\/man\d/.exec(path)?.[1];
  return folder?.replace('_', '-');
}

class ManReader {
  readonly list = new BlockList();
  name: string | undefined;
  section: string | undefined;
  readonly #strings = new Map(STRINGS);
  readonly #macros = new Map<string, string[]>();
  /** The lines to read, the next one last. */
  readonly #pending: string[];
  #added = 0;
  /** The lines of the paragraph, and the last one as far as it was read. */
  #lines: string[] = [];
  #line = '';
  #isCode = false;
  #joinsNext = false;
  #lastCondition = false;
  /** What the next text is: a heading of this level, or a tag. */
  #expects: 2 | 3 | 'tag' | undefined;
  #link = '';

  constructor(text: string) {
    // A backslash at the end of a line joins the next one.
    const joined = text.replace(/\r\n?/g, '\n').replace(/(?<!\\)((?:\\\\)*)\\\n/g, '$1');
    this.#pending = joined.split('\n').reverse();
    for (let line = this.#pending.pop(); line !== undefined; line = this.#pending.pop()) this.#read(line);
    this.#endParagraph();
  }

  /** The lines before one that matches. */
  #until(end: RegExp): string[] {
    const at = this.#pending.findLastIndex((line) => end.test(line));
    const lines = this.#pending.splice(at + 1).reverse();
    this.#pending.pop();
    return lines;
  }

  #read(line: string): void {
    const [isCall, macro = '', rest = ''] = /^[.'][ \t]*(\\["#{}]|[^\s\\]*)[ \t]*(.*)$/s.exec(line) ?? [];
    if (isCall !== undefined) this.#call(macro, rest.replace(/(?<!\\)((?:\\\\)*)\\".*$/s, '$1'));
    else if (line.trim() === '') this.#blank();
    else if (!line.startsWith('\\#')) this.#add(this.#plain(line), /\\c(?:\\"|\s*$)/.test(line));
  }

  #call(macro: string, raw: string): void {
    const rawArgs = [...raw.matchAll(/"((?:[^"]|"")*)"?|((?:\\.|[^\s\\])+)/gs)].map(
      ([, quoted, bare = '']) => quoted?.replaceAll('""', '"') ?? bare,
    );
    const body = this.#macros.get(macro);
    if (body) {
      this.#expand(body, rawArgs);
      return;
    }
    const args = rawArgs.map((arg) => this.#plain(arg));
    const words = args.join(' ');
    const joins = /\\c\s*$/.test(raw);
    if (FONTS.test(macro)) this.#add(words, joins);
    else if (ALTERNATING.test(macro)) this.#add(args.join(''), joins);
    else if (PARAGRAPHS.test(macro)) this.#endParagraph();
    else if (CODE.test(macro) || END_OF_CODE.test(macro)) {
      this.#endParagraph();
      this.#isCode = CODE.test(macro);
    } else if (macro === 'TH') [this.name, this.section] = args;
    else if (macro === 'SH' || macro === 'SS') {
      this.#isCode = false;
      this.#endParagraph();
      this.#expects = macro === 'SH' ? 2 : 3;
      this.#add(words);
    } else if (macro === 'TP' || macro === 'TQ') {
      if (macro === 'TP') this.#endParagraph();
      this.#breakLine();
      this.#expects = 'tag';
    } else if (macro === 'IP') {
      this.#endParagraph();
      if (args[0] && !BULLET.test(args[0].trim())) this.#add(args[0]);
      this.#breakLine();
    } else if (macro === 'MR') this.#add(`${args[0] ?? ''}(${args[1] ?? ''})${args[2] ?? ''}`);
    else if (macro === 'OP') this.#add(`[${words}]`);
    else if (macro === 'br' || macro === 'ti') this.#breakLine();
    else if (macro === 'SY' || macro === 'YS') {
      this.#breakLine();
      this.#add(words);
    } else if (macro === 'sp') this.#blank();
    else if (macro === 'UR' || macro === 'MT') this.#link = words;
    else if (macro === 'UE' || macro === 'ME') this.#add(`<${this.#link}>${words}`);
    else if (macro === 'TS') {
      this.#endParagraph();
      this.list.table(tableRows(this.#until(/^[.']TE/)).map((row) => row.map((cell) => this.#plain(cell))));
    } else if (macro === 'ds') {
      const [, name = '', value = ''] = /^(\S+)(?:[ \t]+"?(.*))?$/s.exec(raw) ?? [];
      // Old pages of pod2man print a dash as an omega, which .tr turns into another hyphen.
      this.#strings.set(name, this.#plain(value.replace('\\(*W-', '\\(em')).slice(0, MAX_STRING));
    } else if (/^(?:de1?|am|ig)$/.test(macro)) {
      const [first = '.', second = '.'] = raw.trim().split(/\s+/);
      const end = (macro === 'ig' ? first : second) || '.';
      const lines = this.#until(new RegExp(`^[.'][ \\t]*${end.replace(/\W/g, '\\$&')}\\s*$`));
      if (macro.startsWith('de') && !BUILT_IN.test(first)) this.#macros.set(first, lines);
    } else if (/^(?:if|ie|el)$/.test(macro)) this.#condition(macro, raw);
  }

  /** Puts the lines of a macro before the next line of the text. */
  #expand(body: readonly string[], args: readonly string[]): void {
    this.#added += body.length;
    if (this.#added > MAX_ADDED) return;
    const lines = body.map((line) =>
      line
        .replaceAll('\\\\', '\\')
        .replace(/\\\$(?:(\d)|[*@])/g, (_all, digit) =>
          digit ? (args[Number(digit) - 1] ?? '') : args.join(' '),
        ),
    );
    this.#pending.push(...lines.reverse());
  }

  /** Reads or skips what follows a condition. `\{` and `\}` enclose several lines. */
  #condition(macro: string, raw: string): void {
    const condition =
      macro === 'el' ? '' : /^!?(?:"[^"]*"|\\n[([]\.g\]?|[^\s\\]|\S)*?(?=\s|\\\{|$)/.exec(raw)![0];
    const rest = raw.slice(condition.length).trimStart();
    const holds = macro === 'el' ? !this.#lastCondition : HOLDS.test(condition);
    if (macro === 'ie') this.#lastCondition = holds;
    if (holds) this.#read(rest.replace(/^\\\{[ \t]*/, '').replaceAll('\\}', '') || '.');
    else for (let open = braces(rest); open > 0; ) open += braces(this.#pending.pop() ?? '\\}'.repeat(open));
  }

  /** Adds text to the line, or as the heading or tag that a macro before it announced. */
  #add(text: string, joins = false): void {
    if (text.trim() === '') {
      if (this.#isCode) this.#blank();
      return;
    }
    if (this.#expects === 2 || this.#expects === 3) {
      this.list.heading(this.#expects, text);
      this.#expects = undefined;
      return;
    }
    if (!this.#joinsNext && (this.#isCode || /^[ \t]/.test(text))) this.#breakLine();
    const content = this.#isCode ? text.trimEnd() : text.replace(/\s+/g, ' ').trimStart();
    if (!this.#joinsNext && this.#line !== '') this.#line += ' ';
    this.#line += joins ? content : content.trimEnd();
    this.#joinsNext = joins;
    if (this.#expects !== 'tag' || joins) return;
    this.#breakLine();
    this.#expects = undefined;
  }

  #breakLine(): void {
    if (this.#line !== '') this.#lines.push(this.#line);
    this.#line = '';
    this.#joinsNext = false;
  }

  /** An empty line: kept in code, else the end of the paragraph. */
  #blank(): void {
    if (!this.#isCode) this.#endParagraph();
    else {
      this.#breakLine();
      this.#lines.push('');
    }
  }

  #endParagraph(): void {
    this.#breakLine();
    this.#expects = undefined;
    this.list.paragraph(this.#lines.join('\n'));
    this.#lines = [];
  }

  /** Replaces the escape sequences in a text by characters. Layout and fonts are dropped. */
  #plain(text: string): string {
    if (!text.includes('\\')) return text;
    return text.replace(ESCAPE, (_all, two, long, ...groups) => {
      const [stringTwo, stringLong, stringOne, , , , code, letter] = groups;
      const string = stringTwo ?? stringLong ?? stringOne;
      if (string !== undefined) return this.#strings.get(string) ?? '';
      if (code !== undefined) return fromCode(Number(code));
      return letter === undefined ? character(two ?? long ?? '') : ofLetter(letter);
    });
  }
}

function ofLetter(letter: string): string {
  // Breaks, thin spaces, italic corrections, braces of conditions, and movements.
  return LETTERS[letter] ?? ('%:&/,|^)!{}cdurpz\n'.includes(letter) ? '' : letter);
}

function character(name: string): string {
  const known = CHARACTERS.get(name);
  if (known !== undefined) return known;
  const accent = ACCENTS.get(name.charAt(0));
  if (accent !== undefined && /^.\p{L}$/u.test(name)) return (name.slice(1) + accent).normalize('NFC');
  const codes = /^u([\dA-F]{4,6}(?:_[\dA-F]{4,6})*)$/i.exec(name)?.[1]?.split('_') ?? [];
  const letters = codes.map((code) => fromCode(Number.parseInt(code, 16)));
  return letters.join('').normalize('NFC');
}

function fromCode(code: number): string {
  return code >= 32 && code < 0x110000 && (code < 0xd800 || code >= 0xe000) ? String.fromCodePoint(code) : '';
}

/** Opened minus closed braces. */
function braces(line: string): number {
  return line.split('\\{').length - line.split('\\}').length;
}

/** The rows of a table of tbl(1), from its lines. Formats are skipped, text blocks (`T{` … `T}`) become one cell. */
function tableRows(lines: string[]): string[][] {
  const text = lines.join('\n').replace(/^\.T&.*?\.[ \t]*\n/gms, '');
  const separator = /^.*\btab[ \t]*\((.)\)/.exec(text)?.[1] ?? '\t';
  const data = text
    .slice(/\.[ \t]*(?:\n|$)/.exec(text)?.index ?? 0)
    .split('\n')
    .slice(1)
    .join('\n');
  return data
    .replace(/T\{\n(.*?)\nT\}/gs, (_, block: string) =>
      block.replace(/^[.'][ \t]*\w*[ \t]*/gm, '').replaceAll('\n', ' '),
    )
    .split('\n')
    .filter((line) => !/^(?:[_=]|\\_|[.'].*)?$/.test(line.trimEnd()))
    .map((line) =>
      line
        .split(separator)
        .map((cell) => (/^(?:\\\^|[_=])$/.test(cell) ? '' : cell.replace(/\s+/g, ' ').trim())),
    );
}
