import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Document } from '../../../index/documents/document.ts';
import { toPassages } from '../../../index/passages/split.ts';
import { readDocuments } from '../../../index/sources/read.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'documents-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: string | Buffer): string {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, content);
  return file;
}

async function read(paths: string[], onSkip?: (path: string) => void): Promise<Document[]> {
  const documents: Document[] = [];
  for await (const document of readDocuments(paths, onSkip)) documents.push(document);
  return documents;
}

const sources = async (...paths: string[]) => (await read(paths)).map((document) => document.source);

describe('files and folders', () => {
  it('reads a folder in order of names, and reports skipped files', async () => {
    write('b/c.txt', 'C.');
    write('b/a.MD', 'A.');
    write('b.html', '<p>B.');
    write('a.txt', 'A.');
    const image = write('b/image.png', '');
    write('.hidden/a.txt', 'No.');
    write('.a.txt', 'No.');
    write('node_modules/a/a.txt', 'No.');
    const skipped: string[] = [];
    const documents = await read([root], (path) => skipped.push(path));
    expect(documents.map((document) => document.source)).toEqual(['a.txt', 'b/a.MD', 'b/c.txt', 'b.html']);
    expect(skipped).toEqual([image]);
  });

  it('uses the file name as the source of a single file', async () => {
    expect(await sources(write('a/b.txt', 'B.'))).toEqual(['b.txt']);
  });

  it('reads a file once if it is listed twice', async () => {
    const file = write('a/b.txt', 'B.');
    expect(await sources(file, file, join(root, 'a'))).toEqual(['b.txt']);
  });

  it('follows links to files, but not links to folders or broken links', async () => {
    const file = write('a/b.txt', 'B.');
    mkdirSync(join(root, 'links'));
    symlinkSync(file, join(root, 'links/file.txt'));
    symlinkSync(root, join(root, 'links/folder.txt'));
    symlinkSync(join(root, 'none'), join(root, 'links/nothing.txt'));
    expect(await sources(join(root, 'links'))).toEqual(['file.txt']);
  });

  it('rejects two files with the same source', async () => {
    write('en/intro.txt', 'A.');
    write('de/intro.txt', 'B.');
    await expect(read([join(root, 'en'), join(root, 'de')])).rejects.toThrow(
      `${join(root, 'en/intro.txt')} and ${join(root, 'de/intro.txt')} would both be named "intro.txt" in the index. Name a folder that contains both.`,
    );
  });

  it('rejects a missing path', async () => {
    await expect(read([join(root, 'none')])).rejects.toThrow(
      `${join(root, 'none')} does not exist. Check the path.`,
    );
  });

  it('rejects a single file of unknown format, and lists the formats', async () => {
    const file = write('a.pdf', '');
    await expect(read([file])).rejects.toThrow(
      `${file}: unknown format. The formats are .txt, .md, .markdown, .html, .htm, .jsonl, .ndjson, .jsonl.gz.`,
    );
  });

  it('reads no blocks from empty files', async () => {
    for (const name of ['a.txt', 'b.md', 'c.html']) write(name, ' \n');
    expect((await read([root])).map((document) => document.blocks)).toEqual([[], [], []]);
  });

  it('reads compressed and plain files alike', async () => {
    const lines = '{"id":"1","text":"A."}\n{"id":"2","text":"B."}\n';
    const plain = await read([write('a.ndjson', lines)]);
    const packed = await read([write('a.jsonl.gz', gzipSync(lines))]);
    expect(packed.map((document) => ({ ...document, source: 'a.ndjson' }))).toEqual(plain);
  });

  it('keeps the ids of passages when other documents are added', async () => {
    const ids = async () => {
      const found = new Map<string, string>();
      for (const document of await read([root])) {
        for (const passage of toPassages(document, {
          countTokens: (text) => text.length,
          minTokens: 1,
          maxTokens: 20,
        })) {
          found.set(passage.id, passage.text);
        }
      }
      return found;
    };
    write('b.txt', 'The first sentence.\n\nThe first sentence.\n\nAnother one is here.');
    write('c.jsonl', '{"text":"The first sentence."}\n{"text":"Another."}\n');
    const before = await ids();
    expect(before.size).toBe(5);
    write('a.txt', 'The first sentence.');
    write(
      'c.jsonl',
      '{"text":"New."}\n{"text":"The first sentence."}\n{"text":"Another."}\n{"text":"Another."}\n',
    );
    const after = await ids();
    expect(after.size).toBe(8);
    expect([...before].filter(([id, text]) => after.get(id) !== text)).toEqual([]);
  });
});
