import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Document } from '../../../../index/documents/document.ts';
import type { Notice } from '../../../../index/documents/file.ts';
import { toPassages } from '../../../../index/ingest/passages/split.ts';
import { readSources } from '../../../../index/ingest/reading/read-sources.ts';
import { type FolderOptions, FolderSource } from '../../../../index/ingest/sources/folder.ts';
import { readDocuments } from '../../../../index/ingest/sources/open-sources.ts';
import type { Source, SourceFile } from '../../../../index/ingest/sources/source.ts';

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

async function read(paths: string[]): Promise<Document[]> {
  const documents: Document[] = [];
  for await (const document of readDocuments(paths)) documents.push(document);
  return documents;
}

async function collect(source: Source): Promise<Document[]> {
  const documents: Document[] = [];
  for await (const document of readSources([source])) documents.push(document);
  return documents;
}

const sources = async (...paths: string[]) => (await read(paths)).map((document) => document.source);

/** The names of a folder's files, and the paths that were left out, by reason. */
async function list(
  options: FolderOptions = {},
  folder = root,
): Promise<{ files: string[]; skipped: [string, string][] }> {
  const skipped: [string, string][] = [];
  const report = ({ place, reason }: Notice) =>
    skipped.push([relative(folder, place).split(sep).join('/'), reason]);
  const files: string[] = [];
  for await (const { source } of new FolderSource(folder, options).files({ memory: new Map(), report }))
    files.push(source);
  return { files, skipped };
}

describe('a folder', () => {
  it('is listed in order of names, without hidden files and vendor folders', async () => {
    for (const path of ['b/c.txt', 'b/a.MD', 'b.html', 'a.txt', 'b/image.png']) write(path, 'A.');
    for (const path of ['.hidden/a.txt', '.a.txt', 'b/node_modules/a/a.txt', 'vendor/a.txt'])
      write(path, 'No.');
    const { files, skipped } = await list();
    expect(files).toEqual(['a.txt', 'b/a.MD', 'b/c.txt', 'b/image.png', 'b.html']);
    expect(skipped).toEqual(
      ['.a.txt', '.hidden', 'b/node_modules', 'vendor'].map((path) => [path, 'hidden or excluded']),
    );
  });

  it('leaves out what patterns exclude, and takes only what they include', async () => {
    for (const path of ['a.md', 'a.txt', 'drafts/b.md', 'c/d.md', 'c/keep.tmp.md', 'vendor/e.md'])
      write(path, 'A.');
    write('.polyseekignore', '# comments\n*.tmp.*\n!vendor/\n');
    const { files, skipped } = await list({ include: ['*.md'], exclude: ['drafts/'] });
    expect(files).toEqual(['a.md', 'c/d.md', 'vendor/e.md']);
    expect(skipped).toEqual([
      ['a.txt', 'not included by a pattern'],
      ['c/keep.tmp.md', 'hidden or excluded'],
      ['drafts', 'hidden or excluded'],
    ]);
  });

  it('gives each file an address below the base address', async () => {
    write('a b/ü.md', 'A.');
    const [document] = await collect(new FolderSource(root, { baseUrl: 'https://docs.example/v1' }));
    expect(document?.url).toBe('https://docs.example/v1/a%20b/%C3%BC.md');
  });

  it.each([
    ['', ['', 'guide/', 'guide/a.html', 'guide/reindex', 'guide/set.up']],
    ['/', ['', 'guide/', 'guide/a.html', 'guide/reindex/', 'guide/set.up/']],
    ['.html', ['', 'guide/', 'guide/a.html', 'guide/reindex.html', 'guide/set.up.html']],
  ])('gives pages made from markup the suffix %j', async (urlSuffix, urls) => {
    for (const name of [
      'README.md',
      'guide/index.mdx',
      'guide/a.html',
      'guide/reindex.rst',
      'guide/set.up.md',
    ])
      write(name, `Text of ${name}.`);
    const documents = await collect(new FolderSource(root, { baseUrl: 'https://docs.example/', urlSuffix }));
    expect(documents.map(({ url }) => url?.replace('https://docs.example/', '')).sort()).toEqual(urls);
  });
});

describe('files and folders', () => {
  it('uses the file name as the source of a single file', async () => {
    expect(await sources(write('a/b.txt', 'B.'))).toEqual(['b.txt']);
  });

  it('reads a file once if it is listed twice', async () => {
    const file = write('a/b.txt', 'B.');
    expect(await sources(file, file, join(root, 'a'))).toEqual(['b.txt']);
  });

  it('follows links to files, but not links to folders or broken links', async () => {
    write('docs/a/b.txt', 'B.');
    const docs = join(root, 'docs');
    symlinkSync('a/b.txt', join(docs, 'file.txt'));
    symlinkSync(docs, join(docs, 'folder.txt'));
    symlinkSync(join(docs, 'none'), join(docs, 'nothing.txt'));
    // The folder itself may be a link.
    symlinkSync(docs, join(root, 'linked'));
    expect(await sources(join(root, 'linked'))).toEqual(['a/b.txt', 'file.txt']);
  });

  it('follows no link to a file that is outside of the folder, hidden or excluded', async () => {
    const targets = {
      above: write('secret.txt', 'Secret.'),
      near: write('docs2/secret.txt', 'Secret.'),
      credentials: write('docs/.env', 'Secret.'),
      repository: write('docs/.git/config', 'Secret.'),
      draft: write('docs/drafts/a.txt', 'Secret.'),
      process: '/proc/self/environ',
    };
    write('docs/.polyseekignore', 'drafts/');
    write('docs/open.txt', 'Open.');
    const docs = join(root, 'docs');
    for (const [name, target] of Object.entries(targets)) symlinkSync(target, join(docs, `${name}.txt`));
    // A chain of links counts as its end.
    symlinkSync('above.txt', join(docs, 'chain.txt'));
    const links = [...Object.keys(targets), 'chain'].sort().map((name) => `${name}.txt`);
    const { files, skipped } = await list({}, docs);
    expect(files).toEqual(['open.txt']);
    expect(skipped.filter(([name]) => links.includes(name))).toEqual(
      links
        // A system without this file has a broken link.
        .filter((name) => existsSync(join(docs, name)))
        .map((name) => [name, 'links to a file that is not in this folder, or is excluded']),
    );
  });

  /** The files of a folder, once they are listed. */
  async function listed(path: string): Promise<SourceFile[]> {
    const files: SourceFile[] = [];
    const context = { memory: new Map(), report: (notice: Notice) => expect(notice).toBeUndefined() };
    for await (const file of new FolderSource(path).files(context)) files.push(file);
    return files;
  }

  it('reads no file that was replaced after it was listed, in this process or the one that reads', async () => {
    const secret = write('private/a.txt', 'Secret.');
    const names = ['a/a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt'];
    for (const name of names) write(`docs/${name}`, 'Open.');
    const docs = join(root, 'docs');
    const files = await listed(docs);
    expect(files.map(({ source }) => source)).toEqual(names);
    // A folder on the way, a file, and what would block or never end.
    renameSync(join(docs, 'a'), join(root, 'a'));
    symlinkSync(join(root, 'private'), join(docs, 'a'));
    for (const name of ['b', 'c', 'd']) rmSync(join(docs, `${name}.txt`));
    symlinkSync(secret, join(docs, 'b.txt'));
    execFileSync('mkfifo', [join(docs, 'c.txt')]);
    symlinkSync('/dev/zero', join(docs, 'd.txt'));
    const [replaced, irregular] = ['replaced while the build ran', 'not a regular file'];
    const reasons = [replaced, replaced, irregular, replaced];
    for (const [i, reason] of reasons.entries())
      await expect(text(files[i]!.open())).rejects.toThrow(`${join(docs, names[i]!)}: ${reason}.`);
    expect(await text(files[4]!.open())).toBe('Open.');

    const notices: string[] = [];
    const late: Source = {
      options: {},
      async *files() {
        yield* files;
      },
    };
    const report = ({ place, reason }: Notice) => notices.push(`${relative(docs, place)}: ${reason}`);
    const documents: string[] = [];
    for await (const { source } of readSources([late], { report })) documents.push(source);
    expect(documents).toEqual(['e.txt']);
    expect(notices).toEqual(reasons.map((reason, i) => `${names[i]}: ${reason}`));
  });

  it('reads a file as long as it was when it was opened, and none of over 10 GiB', async () => {
    const file = write('docs/a.txt', 'One.');
    const [growing] = await listed(join(root, 'docs'));
    let read = '';
    for await (const chunk of growing!.open()) {
      read += chunk;
      appendFileSync(file, 'More.');
    }
    expect(read).toBe('One.');
    // A sparse file: it takes no space.
    truncateSync(file, 10 * 2 ** 30 + 1);
    await expect(text(growing!.open())).rejects.toThrow(
      `${file}: too large. Split it into files of at most 10240 MiB.`,
    );
  });

  it('reports FIFOs, sockets and devices, and rejects one that is named', async () => {
    write('docs/a.txt', 'A.');
    const fifo = join(root, 'docs/b.txt');
    execFileSync('mkfifo', [fifo]);
    expect(await list({}, join(root, 'docs'))).toEqual({
      files: ['a.txt'],
      skipped: [['b.txt', 'not a regular file']],
    });
    await expect(read([fifo])).rejects.toThrow(`${fifo}: not a regular file. Save its content in a file.`);
    rmSync(join(root, 'docs/a.txt'));
    symlinkSync(fifo, join(root, 'docs/.polyseekignore'));
    await expect(list({}, join(root, 'docs'))).rejects.toThrow('.polyseekignore: not a regular file.');
  });

  it('follows a link that is named', async () => {
    write('store/x1', 'Linked.');
    symlinkSync(join(root, 'store/x1'), join(root, 'a.txt'));
    expect(
      (await read([join(root, 'a.txt')])).map(({ source, blocks }) => [source, blocks[0]?.text]),
    ).toEqual([['a.txt', 'Linked.']]);
  });

  // Other systems refuse such names.
  it.runIf(process.platform === 'linux')('names files and folders whose names are not UTF-8', async () => {
    write('docs/ü.txt', 'Good.');
    const bytes = (path: string) => Buffer.from(join(root, path), 'latin1');
    writeFileSync(bytes('docs/caf\xe9.txt'), 'Bad.');
    mkdirSync(bytes('docs/\xff'));
    writeFileSync(bytes('docs/\xff/a.txt'), 'Bad.');
    symlinkSync(bytes('docs/caf\xe9.txt'), bytes('docs/link\xe9.txt'));
    // What a program would make of such a name.
    write('docs/caf\ufffd.txt', 'Other.');
    expect(await list({}, join(root, 'docs'))).toEqual({
      files: ['caf\ufffd.txt', 'ü.txt'],
      skipped: ['\\xFF', 'caf\\xE9.txt', 'link\\xE9.txt'].map((name) => [name, 'name is not UTF-8']),
    });
  });

  it('rejects two files with the same source', async () => {
    write('en/intro.txt', 'A.');
    write('de/intro.txt', 'B.');
    await expect(read([join(root, 'en'), join(root, 'de')])).rejects.toThrow(
      `${join(root, 'de/intro.txt')}: same name in the index as another file. ${join(root, 'en/intro.txt')} would also be named "intro.txt". Name a folder that contains both.`,
    );
  });

  it('rejects a missing path', async () => {
    await expect(read([join(root, 'none')])).rejects.toThrow(
      `${join(root, 'none')} does not exist. Check the path.`,
    );
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
