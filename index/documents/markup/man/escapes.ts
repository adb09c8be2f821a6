/** Special characters of groff_char(7), by name. Accented letters are composed. */
const CHARACTERS = new Map(
  `hy - - - mi − en – em — lq “ rq ” oq ‘ cq ’ aq ' dq " Bq „ bq ‚ Fo « Fc » fo ‹ fc › bu • co © rg ® tm ™ de ° mu × di ÷ +- ± <= ≤ >= ≥
  != ≠ == ≡ ~= ≅ =~ ≅ ~~ ≈ -> → <- ← <> ↔ ua ↑ da ↓ lA ⇐ rA ⇒ hA ⇔ ti ~ ha ^ ga \` aa ´ rs \\ sl / ul _ ru _ ba | br │ or | bv │ at @ sh # Do $ ct ¢ eu €
  Eu € Po £ Ye ¥ Cs ¤ ss ß AE Æ ae æ OE Œ oe œ /O Ø /o ø /L Ł /l ł -D Ð Sd ð TP Þ Tp þ .i ı .j ȷ IJ Ĳ ij ĳ r? ¿ r! ¡ Of ª Om º S1 ¹ S2 ² S3 ³ 12 ½ 14 ¼ 34 ¾
  18 ⅛ ps ¶ sc § dg † dd ‡ sq □ ci ○ lz ◊ if ∞ pd ∂ gr ∇ sr √ is ∫ su ∑ sum ∑ pr ∏ product ∏ ca ∩ cu ∪ sb ⊂ sp ⊃ ib ⊆ ip ⊇ mo ∈ nm ∉ es ∅ fa ∀ te ∃ AN ∧
  OR ∨ no ¬ tno ¬ md ⋅ pc · c* ⊗ c+ ⊕ ap ∼ pt ∝ pl + eq = lh ☜ rh ☞ OK ✓ CR ↵ la ⟨ ra ⟩ lc ⌈ rc ⌉ lf ⌊ rf ⌋ lB [ rB ] lC { rC } lk ⎨ rk ⎬ fm ′ sd ″ %0 ‰ an ⎯ tf ∴
  *a α *b β *g γ *d δ *e ε *z ζ *y η *h θ *i ι *k κ *l λ *m μ *n ν *c ξ *o ο *p π *r ρ *s σ ts ς *t τ *u υ *f φ *x χ *q ψ *w ω *A Α *B Β *G Γ *D Δ *E Ε *Z Ζ
  *Y Η *H Θ *I Ι *K Κ *L Λ *M Μ *N Ν *C Ξ *O Ο *P Π *R Ρ *S Σ *T Τ *U Υ *F Φ *X Χ *Q Ψ *W Ω`
    .split(/\s+/)
    .flatMap((name, i, all) => (i % 2 === 0 ? [[name, all[i + 1]!] as const] : [])),
);
const ACCENTS = new Map([
  ["'", '\u0301'],
  ['`', '\u0300'],
  ['^', '\u0302'],
  [':', '\u0308'],
  ['~', '\u0303'],
  [',', '\u0327'],
  ['v', '\u030C'],
  ['o', '\u030A'],
  ['-', '\u0304'],
  ['"', '\u030B'],
]);
/** Strings that macro packages define. */
const STRINGS = new Map([
  ['lq', '“'],
  ['rq', '”'],
  ['Lq', '“'],
  ['Rq', '”'],
  ['R', '®'],
  ['Tm', '™'],
  ['S', ''],
  ['<=', '≤'],
  ['>=', '≥'],
  ['Ba', '|'],
]);
/** How deep strings in strings are expanded. */
const MAX_DEPTH = 5;
/** UTF-16 code units of a line with its strings expanded. */
const MAX_LINE = 100_000;

/** What a page defined so far: strings and number registers. */
export interface Definitions {
  strings: Map<string, string>;
  registers: Map<string, number>;
}

/** Replaces the escape sequences of roff in a text by characters. Layout and fonts are dropped. */
export function unescapeRoff(text: string, definitions: Definitions, depth = 0): string {
  if (!text.includes('\\')) return text;
  let out = '';
  for (let i = 0; i < text.length && out.length < MAX_LINE; ) {
    const next = text.indexOf('\\', i);
    if (next < 0) return out + text.slice(i);
    out += text.slice(i, next);
    const char = text[next + 1] ?? '';
    i = next + 1 + char.length;
    if (char === '(' || char === '[' || char === 'C') {
      const { name, end } = char === 'C' ? quoted(text, i) : nameAt(text, i - 1);
      i = end;
      out += character(name);
    } else if (char === '*') {
      const { name, end } = nameAt(text, i);
      i = end;
      const value = definitions.strings.get(name) ?? STRINGS.get(name) ?? '';
      out += depth < MAX_DEPTH ? unescapeRoff(value, definitions, depth + 1) : '';
    } else if (char === 'n') {
      const sign = /^[-+]/.test(text[i] ?? '') ? 1 : 0;
      const { name, end } = nameAt(text, i + sign);
      i = end;
      out += name === '.g' ? '1' : String(definitions.registers.get(name) ?? 0);
    } else if ('fFmMgkVY$'.includes(char) && char !== '') {
      i = nameAt(text, i).end;
    } else if (char === 's') {
      i = sizeEnd(text, i);
    } else if ('hvwlLDXbxHSRAB'.includes(char) && char !== '') {
      i = quoted(text, i).end;
      if (char === 'w') out += '1';
    } else if (char === 'N') {
      const { name, end } = quoted(text, i);
      i = end;
      const code = Number(name);
      if (code >= 32 && code < 0x110000) out += String.fromCodePoint(code);
    } else if (char === 'o') {
      const { name, end } = quoted(text, i);
      i = end;
      out += unescapeRoff(name, definitions, MAX_DEPTH).charAt(0);
    } else if (char === '"' || char === '#') {
      return out;
    } else {
      out += simple(char);
    }
  }
  return out;
}

function simple(char: string): string {
  if (char === 'e' || char === '\\') return '\\';
  if (char === '-' || char === '.' || char === '_' || char === '"') return char;
  if (char === "'") return '´';
  if (char === '`') return '`';
  if (char === 't' || char === 'a') return '\t';
  if (char === ' ' || char === '~' || char === '0') return ' ';
  // Breaks, thin spaces, italic corrections, braces of conditions, and movements.
  if ('%:&/,|^)?!{}cdurpz\n'.includes(char)) return '';
  return char;
}

/** A name after a letter: one character, `(xx`, or `[name]`. */
function nameAt(text: string, at: number): { name: string; end: number } {
  if (text[at] === '(') return { name: text.slice(at + 1, at + 3), end: at + 3 };
  if (text[at] !== '[') return { name: text.slice(at, at + 1), end: at + 1 };
  const end = text.indexOf(']', at);
  return end < 0 ? { name: '', end: at + 1 } : { name: text.slice(at + 1, end), end: end + 1 };
}

/** An argument between two equal characters: `'1m'`. */
function quoted(text: string, at: number): { name: string; end: number } {
  const end = at < text.length ? text.indexOf(text[at]!, at + 1) : -1;
  return end < 0 ? { name: '', end: at } : { name: text.slice(at + 1, end), end: end + 1 };
}

/** `\s` takes `0`, `+2`, `-1`, `12`, `(12`, `[12]`, or `'12'`. */
function sizeEnd(text: string, at: number): number {
  const match = /^(?:[-+]?(?:\[[^\]]*\]|'[^']*'|\([-+]?\d\d|[123]\d|\d)|\([-+]?\d\d)/.exec(
    text.slice(at, at + 20),
  );
  return at + (match?.[0].length ?? 0);
}

function character(name: string): string {
  const known = CHARACTERS.get(name);
  if (known !== undefined) return known;
  const codes = /^u([\dA-F]{4,6}(?:_[\dA-F]{4,6})*)$/i.exec(name)?.[1]?.split('_');
  if (codes)
    return codes
      .map((code) => fromCode(Number.parseInt(code, 16)))
      .join('')
      .normalize('NFC');
  if (/^char\d{1,3}$/.test(name)) return fromCode(Number(name.slice(4)));
  const accent = ACCENTS.get(name.charAt(0));
  if (accent !== undefined && /^.\p{L}$/u.test(name)) return (name.slice(1) + accent).normalize('NFC');
  return '';
}

function fromCode(code: number): string {
  return code < 0x110000 && !(code >= 0xd800 && code < 0xe000) ? String.fromCodePoint(code) : '';
}
