import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { debianPackage } from '../../fixtures/debian.ts';

/** How the text of a package is made: as it is, or by `man`, `pdftotext` or `w3m`. */
export type Rendering = 'text' | 'man' | 'pdf' | 'pdf-layout' | 'w3m';

/** A text with its true blocks, which a person marked. README.md describes the fields. */
export interface AnnotatedText {
  name: string;
  lang: string;
  kind: string;
  split: 'dev' | 'test';
  /** The Debian package and the path in it. Without a package, the text is a file of `written`. */
  package?: string;
  path?: string;
  rendering?: Rendering;
  /** The first and the last line of the excerpt, from 1. */
  lines: [number, number];
  /** Of the excerpt. */
  sha256: string;
  /** The blocks of the excerpt: `h1 p3-5 v7-9`. */
  blocks: string;
}

const here = import.meta.dirname;

/** All annotated texts. */
export function annotatedTexts(): AnnotatedText[] {
  const lines = readFileSync(join(here, 'texts.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** The excerpt of an annotated text, or a sentence that says why it is missing. */
export function excerptOf(text: AnnotatedText): { excerpt: string } | { missing: string } {
  const content = contentOf(text);
  if (content === undefined)
    return {
      missing: `${text.name}: package ${text.package} is missing. Fetch it with bash .ci/debian ${text.package}.`,
    };
  const excerpt = content
    .split('\n')
    .slice(text.lines[0] - 1, text.lines[1])
    .join('\n');
  if (sha256(excerpt) === text.sha256) return { excerpt };
  return { missing: `${text.name}: ${text.path} of another version of ${text.package}.` };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function contentOf({ name, package: owner, path, rendering }: AnnotatedText): string | undefined {
  if (owner === undefined || path === undefined)
    return readFileSync(join(here, 'written', `${name}.txt`), 'utf8');
  const folder = debianPackage(owner);
  return folder === undefined ? undefined : render(join(folder, path), rendering ?? 'text');
}

/** The text of a file, made by the program that people would use. */
function render(path: string, rendering: Rendering): string {
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', LC_ALL: 'C.UTF-8', MANWIDTH: '80' };
  const run = (command: string, args: string[], input?: string) =>
    execFileSync(command, args, { env, input, stdio: ['pipe', 'pipe', 'ignore'] }).toString();
  if (rendering === 'man') return run('col', ['-bx'], run('man', ['-P', 'cat', '-l', path]));
  if (rendering === 'w3m') return run('w3m', ['-dump', '-cols', '80', '-O', 'utf8', '-I', 'utf8', path]);
  const bytes = path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path);
  if (rendering === 'text') return bytes.toString();
  const folder = mkdtempSync(join(tmpdir(), 'pdf-'));
  try {
    writeFileSync(join(folder, 'a.pdf'), bytes);
    return run('pdftotext', [...(rendering === 'pdf-layout' ? ['-layout'] : []), join(folder, 'a.pdf'), '-']);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
