/** A part of a message: what its sender wrote, or what it quotes. */
export interface MailPart {
  quoted: boolean;
  text: string;
  /** Who wrote the quoted text and when, as the message says. */
  intro?: string;
}

const QUOTE = /^(?: {0,3}>)+/;
/** `-----Original Message-----`, in any language, or a rule. */
const SEPARATOR = /^\s{0,9}(?:[-_]{3,40}[^-_\n]{0,60}[-_]{3,40}|_{5,200})\s*$/;
const HEADER_LINE = /^[*\s]{0,3}(\p{L}[\p{L} .-]{0,20})[*\s]{0,3}[:：]/u;
/** Names of mail headers as mail programs write them above a quoted message. */
const HEADER_NAMES = new Set(
  `from sent date to cc subject reply-to
  von gesendet datum an betreff
  de envoyé envoye à objet
  enviado para asunto fecha
  da inviato a oggetto
  enviada assunto
  van verzonden aan onderwerp
  od wysłano do temat data
  från skickat till ämne fra sendt til emne lähettäjä lähetetty vastaanottaja aihe
  kimden gönderildi kime konu
  от отправлено дата кому тема копия від надіслано тема
  发件人 发送时间 日期 收件人 抄送 主题 寄件者 寄件日期 收件者 主旨 副本
  差出人 送信日時 日時 宛先 件名
  보낸사람 보낸날짜 받는사람 제목
  من تاريخ إلى الموضوع`.split(/\s+/),
);
const SIGNATURE = /^-- ?$/;
/** Signatures have four lines (RFC 3676), or a few more. */
const MAX_SIGNATURE_LINES = 15;
/** A message that changes more often between quotes and answers is taken for a text that uses `>`. */
const MAX_RUNS = 1000;
const MAX_INTRO_LINES = 3;
const MAX_INTRO_LENGTH = 300;

/** Splits the text of a message into its own parts and quoted parts, in order. Leaves out signatures. */
export function mailParts(text: string): MailPart[] {
  const lines = withoutPgp(text.replace(/\r\n?/g, '\n').split('\n'));
  const found = lines.findIndex((_, i) => startsOldMessage(lines, i));
  const start = found === -1 ? lines.length : found;
  return [...runs(lines.slice(0, start)), ...oldMessage(lines.slice(start))].filter(
    ({ text }) => text !== '',
  );
}

/** Whether lines consist of the headers of a message, as mail programs write them above a quoted one. */
export function isHeaderBlock(lines: readonly string[]): boolean {
  const names = lines.map((line) => HEADER_LINE.exec(line)?.[1]?.replaceAll(' ', '').toLowerCase());
  return new Set(names.filter((name) => name !== undefined && HEADER_NAMES.has(name))).size >= 3;
}

/** Leaves out the lines that PGP adds to a signed message. */
function withoutPgp(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let ending: RegExp | undefined;
  for (const line of lines) {
    if (ending?.test(line)) ending = undefined;
    else if (ending) continue;
    else if (line.startsWith('-----BEGIN PGP SIGNED MESSAGE')) ending = /^\s*$/;
    else if (line.startsWith('-----BEGIN PGP SIGNATURE')) ending = /^-----END PGP SIGNATURE/;
    else kept.push(line);
  }
  return kept;
}

/** A separator and two headers of any name, or three headers of known names. */
function startsOldMessage(lines: readonly string[], at: number): boolean {
  const next = (from: number, count: number) => lines.slice(from, from + count);
  if (SEPARATOR.test(lines[at]!)) return next(at + 1, 6).filter((line) => HEADER_LINE.test(line)).length >= 2;
  return HEADER_LINE.test(lines[at]!) && isHeaderBlock(next(at, 3));
}

/** The headers up to a blank line say who wrote it. Quote marks in it do not matter. */
function oldMessage(lines: readonly string[]): MailPart[] {
  if (lines.length === 0) return [];
  const first = lines.findIndex((line) => HEADER_LINE.test(line));
  const blank = lines.findIndex((line, i) => i > first && line.trim() === '');
  const end = blank === -1 ? lines.length : blank;
  const intro = lines.slice(first, end).join('\n').trim();
  return [{ quoted: true, text: unquote(lines.slice(end)), intro }];
}

/** Runs of lines with and without quote marks. */
function runs(lines: readonly string[]): MailPart[] {
  const parts: MailPart[] = [];
  for (let i = 0; i < lines.length; ) {
    if (parts.length >= MAX_RUNS) return [{ quoted: false, text: lines.join('\n').trim() }];
    const quoted = QUOTE.test(lines[i]!);
    let end = i + 1;
    while (end < lines.length && continues(lines, end, quoted)) end++;
    const run = lines.slice(i, end);
    i = end;
    if (!quoted) parts.push({ quoted, text: withoutSignature(run).join('\n').trim() });
    else {
      const before = parts.at(-1);
      const intro = before && !before.quoted ? introOf(before.text) : undefined;
      if (before && intro) before.text = before.text.slice(0, -intro.length).trimEnd();
      parts.push({ quoted, text: unquote(run), intro });
    }
  }
  return parts;
}

/** A blank line belongs to the quoted lines around it. */
function continues(lines: readonly string[], at: number, quoted: boolean): boolean {
  const marked = QUOTE.test(lines[at]!);
  if (!quoted) return !marked;
  return marked || (lines[at]!.trim() === '' && QUOTE.test(lines[at + 1] ?? ''));
}

/** The last paragraph or line before a quote introduces it if it ends with a colon and names a time or an address: "On … wrote:". */
function introOf(text: string): string | undefined {
  const paragraph = text.slice(text.lastIndexOf('\n\n') + 1).trimStart();
  const lines = paragraph.split('\n');
  const isIntro = (candidate: string) =>
    candidate.length <= MAX_INTRO_LENGTH && /[:：]\s*$/.test(candidate) && /[\d@]/.test(candidate);
  if (lines.length <= MAX_INTRO_LINES && isIntro(paragraph)) return paragraph;
  return lines.slice(-1).find(isIntro)?.trim();
}

/** Takes off quote marks. Lines that are quoted more or less often than the line before start a paragraph. */
function unquote(lines: readonly string[]): string {
  const levels: string[][] = [];
  let level = 0;
  for (const line of lines) {
    const marks = QUOTE.exec(line)?.[0] ?? '';
    const count = marks.replaceAll(' ', '').length;
    if (levels.length === 0 || (count !== level && line.trim() !== '')) {
      levels.push([]);
      level = count;
    }
    levels.at(-1)!.push(line.slice(marks.length).replace(/^ /, ''));
  }
  return levels
    .map((run) => withoutSignature(run).join('\n'))
    .join('\n\n')
    .trim();
}

function withoutSignature(lines: readonly string[]): string[] {
  const at = lines.findLastIndex((line) => SIGNATURE.test(line));
  const follows = lines.slice(at + 1).filter((line) => line.trim() !== '').length;
  return at === -1 || follows > MAX_SIGNATURE_LINES ? [...lines] : lines.slice(0, at);
}
