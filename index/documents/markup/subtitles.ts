import type { Block, Document } from '../document.ts';
import { joint } from '../plain/script.ts';

/** A line with the times of a cue: `00:01:02,500 --> 00:01:04,000`. Hours are optional, and settings may follow. */
const TIMES =
  /^\s*(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})\s*-->\s*(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})/;
/** Markup of cues: `<i>`, `<c.yellow>`, `<00:01.500>`, `{\an8}`. */
const MARKUP = /<\/?[a-zA-Z][^<>\n]{0,200}>|<[\d:.]{4,16}>|\{\\[^{}\n]{0,200}\}/g;
const VOICE = /^<v(?:\.[^\s<>]*)?\s+([^<>]{1,100})>/;
const SENTENCE_END = /[.!?…。！？؟।][)\]"'”’»」』]*$/;
/** Seconds. A longer pause ends a paragraph. */
const PAUSE = 3;
/** UTF-16 code units. A paragraph ends at the next sentence end, and at twice this length in any case. */
const PARAGRAPH = 400;

interface Cue {
  /** Seconds. */
  start: number;
  end: number;
  lines: string[];
}

/**
 * Reads subtitles in SubRip and WebVTT. Joins cues into paragraphs, each with the time of its first cue as anchor: `t=62`. Drops markup,
 * notes, styles, and lines that roll over from cue to cue. Damaged cues are skipped.
 */
export function readSubtitles(text: string, source: string): Document {
  const { cues, lang } = readCues(text.replace(/\r\n?/g, '\n').split('\n'));
  return { source, lang, blocks: paragraphs(cues) };
}

function readCues(lines: string[]): { cues: Cue[]; lang?: string } {
  const cues: Cue[] = [];
  const lang = lines
    .slice(0, 20)
    .flatMap((line) => /^Language:\s*([a-z]{2,3}(?:-\w+)*)\s*$/i.exec(line)?.[1] ?? [])[0];
  let cue: Cue | undefined;
  for (const [i, line] of lines.entries()) {
    const times = TIMES.exec(line);
    if (times) {
      cue = { start: seconds(times.slice(1, 5)), end: seconds(times.slice(5, 9)), lines: [] };
      cues.push(cue);
    } else if (line.trim() === '') {
      // A blank line ends a cue, unless more text follows without times.
      if (/^\s*\d+\s*$/.test(lines[i + 1] ?? '') || isBlockStart(lines, i + 1)) cue = undefined;
    } else if (cue && !(/^\s*\d+\s*$/.test(line) && TIMES.test(lines[i + 1] ?? ''))) cue.lines.push(line);
  }
  return { cues, lang };
}

/** Whether a cue with an identifier, a note, a style or a region begins in a line. */
function isBlockStart(lines: string[], i: number): boolean {
  return (
    /^(?:NOTE|STYLE|REGION)(?:\s|$)/.test(lines[i] ?? '') ||
    TIMES.test(lines[i] ?? '') ||
    TIMES.test(lines[i + 1] ?? '')
  );
}

function seconds([hours = '0', minutes = '0', rest = '0', fraction = '0']: string[]): number {
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest) + Number(`0.${fraction}`);
}

function paragraphs(cues: Cue[]): Block[] {
  const blocks: Block[] = [];
  let pieces: string[] = [];
  let length = 0;
  let start = 0;
  let end = 0;
  let speaker: string | undefined;
  /** The lines of the last cue, which the next one may repeat. */
  let shown: string[] = [];
  const flush = () => {
    const text = pieces.join('').trim();
    if (text !== '') blocks.push({ kind: 'paragraph', text, anchor: `t=${Math.floor(start)}` });
    pieces = [];
    length = 0;
  };
  for (const cue of cues) {
    const voice = VOICE.exec(cue.lines[0]?.trim() ?? '')?.[1]?.trim();
    const lines = cue.lines.map(plain).filter((line) => line !== '');
    const fresh = withoutRepeated(lines, shown);
    if (lines.length > 0) shown = lines;
    if (fresh.length === 0) continue;
    const last = pieces.at(-1)?.trimEnd() ?? '';
    const isNewSpeaker = voice !== undefined && voice !== speaker;
    const isLong = length > PARAGRAPH && (SENTENCE_END.test(last) || length > 2 * PARAGRAPH);
    if (isNewSpeaker || isLong || cue.start - end > PAUSE || cue.start < start) flush();
    if (pieces.length === 0) start = cue.start;
    if (isNewSpeaker) pieces.push(`${voice}: `);
    speaker = voice ?? speaker;
    end = Math.max(cue.end, cue.start);
    for (const line of fresh) {
      const before = pieces.at(-1) ?? '';
      const piece = before === '' || before.endsWith(' ') ? line : joint(before, line) + line;
      pieces.push(piece);
      length += piece.length;
    }
  }
  flush();
  return blocks;
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', nbsp: ' ' };

function plain(line: string): string {
  return line
    .replace(MARKUP, '')
    .replace(/&(amp|lt|gt|nbsp|lrm|rlm);/g, (_, name: string) => ENTITIES[name] ?? '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The lines after those that were shown before. Captions that roll show each line in two or three cues. */
function withoutRepeated(lines: string[], shown: string[]): string[] {
  for (let count = Math.min(lines.length, shown.length, 10); count > 0; count--)
    if (lines.slice(0, count).every((line, i) => line === shown[shown.length - count + i]))
      return lines.slice(count);
  return lines;
}
