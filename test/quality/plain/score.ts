import type { Block } from '../../../index/documents/document.ts';

/** The true blocks of a text, by line. Lines without a letter or digit, such as rules, are no part of it. */
interface Truth {
  /** Number of the block that each line is in. */
  blockOf: Map<number, number>;
  kindOf: ('h' | 'H' | 'p' | 'v')[];
  /** Lines before which a new block may start, or not. */
  optional: Set<number>;
}

/** Counts of right and wrong decisions. Add those of several texts, then take `figures`. */
export interface Counts {
  boundaries: { right: number; found: number; true: number };
  headings: { right: number; found: number; true: number };
  /** Pairs of lines of a block: joined, or kept apart. */
  joints: { right: number; true: number };
}

interface Figures {
  precision: number;
  recall: number;
  f1: number;
}

function noCounts(): Counts {
  const none = () => ({ right: 0, found: 0, true: 0 });
  return { boundaries: none(), headings: none(), joints: { right: 0, true: 0 } };
}

export function sum(counts: Counts[]): Counts {
  const total = noCounts();
  for (const { boundaries, headings, joints } of counts) {
    for (const key of ['right', 'found', 'true'] as const) {
      total.boundaries[key] += boundaries[key];
      total.headings[key] += headings[key];
    }
    total.joints.right += joints.right;
    total.joints.true += joints.true;
  }
  return total;
}

/** Precision, recall and F1. Without any case, they are 1. */
export function figures({ right, found, true: all }: Counts['boundaries']): Figures {
  const precision = found === 0 ? 1 : right / found;
  const recall = all === 0 ? 1 : right / all;
  return {
    precision,
    recall,
    f1: right === 0 ? Number(found + all === 0) : 2 / (1 / precision + 1 / recall),
  };
}

/** A wrong decision, for people. */
export interface Mistake {
  /** 1-based. */
  line: number;
  what: 'boundary missing' | 'boundary too many' | 'heading missing' | 'heading too many' | 'joint';
}

/** Compares the blocks of a reader with the true ones. */
export function score(
  excerpt: string,
  annotation: string,
  blocks: Block[],
): { counts: Counts; mistakes: Mistake[] } {
  const lines = excerpt.split('\n');
  const truth = parse(annotation, lines);
  const read = placesOf(lines, blocks);
  const counts = noCounts();
  const mistakes: Mistake[] = [];
  const mistake = (line: number, what: Mistake['what']) => mistakes.push({ line, what });

  const numbers = [...truth.blockOf.keys()].sort((a, b) => a - b);
  const pairs = numbers.slice(1).map((line, i): [number, number] => [numbers[i]!, line]);
  for (const [, numbersOfBlock] of groups(numbers, (line) => truth.blockOf.get(line)!))
    pairs.push(...jumps(numbersOfBlock, numbers));
  const readLines = numbers.filter((line) => read.blockOf.has(line));
  for (const [, numbersOfBlock] of groups(readLines, (line) => read.blockOf.get(line)!)) {
    for (const jump of jumps(numbersOfBlock, numbers))
      if (truth.blockOf.get(jump[0]) !== truth.blockOf.get(jump[1])) pairs.push(jump);
  }
  for (const [before, line] of pairs) {
    const kind = truth.kindOf[truth.blockOf.get(line)!]!;
    const isSame = truth.blockOf.get(before) === truth.blockOf.get(line);
    const isReadSame = read.blockOf.get(before) === read.blockOf.get(line);
    const isOptional = truth.optional.has(line) || (isSame && kind === 'v');
    if (!isOptional) {
      if (!isSame) counts.boundaries.true++;
      if (!isReadSame) counts.boundaries.found++;
      if (!isSame && !isReadSame) counts.boundaries.right++;
      if (isSame !== isReadSame) mistake(line, isSame ? 'boundary too many' : 'boundary missing');
    }
    // A wrapped line of a row or verse is indented, and may be joined.
    const isHanging = indent(lines[line - 1]!) > indent(lines[before - 1]!);
    if (!isSame || before !== line - 1 || (kind === 'v' && isHanging) || truth.optional.has(line)) continue;
    counts.joints.true++;
    const isJoined = isReadSame && !read.breaks.has(line);
    if (isJoined === (kind !== 'v')) counts.joints.right++;
    else mistake(line, 'joint');
  }
  scoreHeadings(truth, read, counts, mistake);
  return { counts, mistakes };
}

function scoreHeadings(
  truth: Truth,
  read: Places,
  counts: Counts,
  mistake: (line: number, what: Mistake['what']) => void,
): void {
  const key = (lines: number[]) => lines.join(' ');
  const expected = new Map<string, number>();
  const optional = new Set<number>();
  for (const [block, lines] of groups([...truth.blockOf.keys()], (line) => truth.blockOf.get(line)!)) {
    if (truth.kindOf[block] === 'h') expected.set(key(lines), lines[0]!);
    if (truth.kindOf[block] === 'H') for (const line of lines) optional.add(line);
  }
  counts.headings.true += expected.size;
  for (const lines of read.headings) {
    const certain = lines.filter((line) => truth.blockOf.has(line) && !optional.has(line));
    if (certain.length === 0) continue;
    counts.headings.found++;
    if (expected.delete(key(certain))) counts.headings.right++;
    else mistake(certain[0]!, 'heading too many');
  }
  for (const line of expected.values()) mistake(line, 'heading missing');
}

function parse(annotation: string, lines: string[]): Truth {
  const truth: Truth = { blockOf: new Map(), kindOf: [], optional: new Set() };
  for (const mark of annotation.split(' ')) {
    const match = /^([hHpv])(\d+)(?:-(\d+))?(\?)?(?:<(\d+))?$/.exec(mark);
    if (!match) throw new Error(`${mark} is no block. Write it as p3-5.`);
    const [, kind, first, last = first, optional, continued] = match;
    const block = continued === undefined ? truth.kindOf.length : truth.blockOf.get(Number(continued));
    if (block === undefined) throw new Error(`${mark} continues a line of no block.`);
    truth.kindOf[block] = kind as 'h';
    if (optional) truth.optional.add(Number(first));
    for (let line = Number(first); line <= Number(last); line++)
      if (isText(lines[line - 1] ?? '')) truth.blockOf.set(line, block);
  }
  lines.forEach((line, i) => {
    if (isText(line) && !truth.blockOf.has(i + 1)) throw new Error(`Line ${i + 1} is in no block.`);
  });
  return truth;
}

interface Places {
  blockOf: Map<number, number>;
  /** The lines of each heading. */
  headings: number[][];
  /** Lines that begin after a line break inside their block. */
  breaks: Set<number>;
}

/** Finds the lines of each block, which need not be in order. */
function placesOf(lines: string[], blocks: Block[]): Places {
  const places: Places = { blockOf: new Map(), headings: [], breaks: new Set() };
  const rest = lines.map(solid);
  let first = 0;
  blocks.forEach(({ kind, text }, block) => {
    const found: number[] = [];
    let at = 0;
    while (at < text.length) {
      const tail = solid(text.slice(at));
      if (tail === '') break;
      while (first < rest.length && rest[first] === '') first++;
      let line = first;
      while (
        line < rest.length &&
        !(rest[line] !== '' && (tail.startsWith(rest[line]!) || rest[line]!.startsWith(tail)))
      )
        line++;
      if (line === rest.length)
        throw new Error(`${JSON.stringify(text.slice(at, at + 50))} is not in the text.`);
      const length = Math.min(tail.length, rest[line]!.length);
      const end = endOf(text, at, length);
      if (/\n/.test(/^\s*/.exec(text.slice(at))![0])) places.breaks.add(line + 1);
      if (!places.blockOf.has(line + 1)) places.blockOf.set(line + 1, block);
      found.push(line + 1);
      rest[line] = rest[line]!.slice(length);
      at = end;
    }
    if (kind === 'heading') places.headings.push(found);
  });
  return places;
}

/** The end of `length` characters that are not white space. */
function endOf(text: string, start: number, length: number): number {
  let at = start;
  for (let left = length; left > 0; at++) if (/\S/u.test(text[at]!)) left--;
  return at;
}

/** Neighbours in a block that other lines separate. */
function jumps(block: number[], all: number[]): [number, number][] {
  const next = new Map(all.slice(1).map((line, i) => [all[i]!, line]));
  return block
    .slice(1)
    .flatMap((line, i): [number, number][] => (next.get(block[i]!) === line ? [] : [[block[i]!, line]]));
}

function groups(lines: number[], blockOf: (line: number) => number): Map<number, number[]> {
  const result = new Map<number, number[]>();
  for (const line of lines) result.set(blockOf(line), [...(result.get(blockOf(line)) ?? []), line]);
  return result;
}

function isText(line: string): boolean {
  return /[\p{L}\p{N}]/u.test(line);
}

function indent(line: string): number {
  return line.length - line.trimStart().length;
}

function solid(text: string): string {
  return text.replace(/\s/gu, '');
}
