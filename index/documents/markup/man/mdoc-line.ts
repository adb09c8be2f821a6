/** Macros that enclose the rest of their line. */
const ENCLOSING: Record<string, [string, string]> = {
  Op: ['[', ']'],
  Dq: ['“', '”'],
  Sq: ['‘', '’'],
  Qq: ['"', '"'],
  Ql: ['‘', '’'],
  Pq: ['(', ')'],
  Bq: ['[', ']'],
  Brq: ['{', '}'],
  Aq: ['<', '>'],
  En: ['', ''],
};
/** Macros that open or close an enclosure over several lines. */
const SIGNS: Record<string, string> = {
  Oo: '[',
  Oc: ']',
  Do: '“',
  Dc: '”',
  So: '‘',
  Sc: '’',
  Qo: '"',
  Qc: '"',
  Po: '(',
  Pc: ')',
  Bo: '[',
  Bc: ']',
  Bro: '{',
  Brc: '}',
  Ao: '<',
  Ac: '>',
  Xo: '',
  Xc: '',
};
const NAMES: Record<string, string> = {
  Bx: 'BSD',
  Fx: 'FreeBSD',
  Nx: 'NetBSD',
  Ox: 'OpenBSD',
  Dx: 'DragonFly',
  Ux: 'UNIX',
  At: 'AT&T UNIX',
  Bsx: 'BSD/OS',
};
/** Macros that print their arguments. */
const PLAIN = new Set(
  'Ad An Ar Cd Cm Dv Em Er Ev Fa Fd Fn Ft Ic Li Lk Ms Mt No Pa St Sx Sy Tn Va Vt Ns Ap Pf Fl Nm Xr In Nd %A %B %C %D %I %J %N %O %P %Q %R %T %U %V Lb'.split(
    ' ',
  ),
);
const CLOSING = /^[.,:;)\]?!]$/;
const OPENING = /^[([]$/;
const LINE_MACROS = new Set([
  'Dd',
  'Dt',
  'Os',
  'Sh',
  'Ss',
  'Pp',
  'Lp',
  'It',
  'Bl',
  'El',
  'Bd',
  'Ed',
  'Dl',
  'D1',
  'Bk',
  'Ek',
  'Sm',
  'Rs',
  'Re',
  'Fo',
  'Fc',
  'Bf',
  'Ef',
]);
/** All macros of mdoc(7) that print something, and those that make its structure. */
export const MDOC_MACROS: ReadonlySet<string> = new Set([
  ...PLAIN,
  ...LINE_MACROS,
  ...Object.keys(ENCLOSING),
  ...Object.keys(SIGNS),
  ...Object.keys(NAMES),
]);

/** Renders the macros in a line. */
export class MdocLine {
  /** The first argument of the first `.Nm`. */
  name = '';
  #noSpace = false;

  /** Whether the last line ended without space after it. */
  takesNoSpace(): boolean {
    const before = this.#noSpace;
    this.#noSpace = false;
    return before;
  }

  /** @param plain replaces the escape sequences of an argument */
  render(args: string[], plain: (text: string) => string): string {
    let out = '';
    let glued = true;
    /** Ends of enclosures that the end of the line closes, before its last punctuation. */
    const ends: string[] = [];
    const put = (text: string, glue = false) => {
      out += (glued || glue || text === '' ? '' : ' ') + text;
      glued = false;
    };
    let last = args.length;
    while (last > 0 && CLOSING.test(args[last - 1]!)) last--;
    let macro = '';
    let used = 0;
    const finish = () => {
      if (used === 0) putDefault(macro, this.name, put);
      macro = '';
    };
    for (let i = 0; i < last; i++) {
      const arg = args[i]!;
      if (MDOC_MACROS.has(arg) && !LINE_MACROS.has(arg)) {
        finish();
        used = 1;
        if (arg === 'Ns') glued = true;
        else if (arg === 'Ap') {
          put("'", true);
          glued = true;
        } else if (ENCLOSING[arg]) {
          put(ENCLOSING[arg][0]);
          glued = true;
          ends.push(ENCLOSING[arg][1]);
        } else if (SIGNS[arg] !== undefined) {
          put(SIGNS[arg], /c$/.test(arg));
          if (/o$/.test(arg)) glued = true;
        } else if (NAMES[arg] !== undefined) put(NAMES[arg]);
        else {
          macro = arg;
          used = 0;
        }
        continue;
      }
      const text = plain(arg);
      if (arg === 'Ta') out += '\t';
      else if (CLOSING.test(arg)) put(text, true);
      else if (OPENING.test(arg)) {
        put(text);
        glued = true;
      } else if (macro === 'Fl') put(`-${text}`);
      else if (macro === 'Xr' && used === 1) put(`(${text})`, true);
      else if (macro === 'Fn' && used === 0) {
        const rest = args.slice(i + 1, last).map(plain);
        put(`${text}(${rest.join(', ')})`);
        i = last;
      } else if (macro === 'In') put(`<${text}>`);
      else if (macro === 'Pf') {
        put(text);
        glued = true;
        macro = '';
      } else if (arg === '|') put(text);
      else put(text);
      used++;
    }
    finish();
    out += ends.reverse().join('');
    return out + args.slice(last).map(plain).join('');
  }
}

/** What a macro without arguments prints. */
function putDefault(macro: string, name: string, put: (text: string) => void): void {
  if (macro === 'Nm') put(name);
  else if (macro === 'Fl') put('-');
  else if (macro === 'Ar') put('file ...');
  else if (macro === 'Pa') put('~');
}
