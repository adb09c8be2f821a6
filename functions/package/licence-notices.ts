import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository, or dist/ in the npm package. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Third-party work in the packaged function. */
export interface Component {
  /** CycloneDX's name of its kind: an npm package or a sentence model. */
  type: 'library' | 'machine-learning-model';
  name: string;
  version?: string;
  /** Licence identifier (SPDX) or, if it has none, a few words. */
  licence: string;
  text: string;
  /** Hash of a package's archive in its registry, as in package-lock.json: `sha512-` and Base64. */
  integrity?: string;
}

/** What the code of a function contains. */
export interface FunctionCode {
  /** Paths of the bundled modules, from the repository. */
  modules: string[];
  components: Component[];
  /** Third-party work in our engine's native library, which is compiled with Node's headers. */
  engine: Component[];
  comments: string[];
}

/** Where a function's index is: beside its code, or in Amazon S3 Vectors. */
export type StoreName = 'bundle' | 's3vectors';

const LICENCE_FILE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

/** For packages that name their licence but ship no text. */
const STANDARD_TEXTS: Record<string, string> = {
  ISC: `Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided
that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES
OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR
ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS
ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.`,
  MIT: `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files
(the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge,
publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so,
subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR
ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH
THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`,
};

/** Folders of the npm packages that modules belong to, each once. Takes paths from the repository. */
export function packageFolders(modules: string[]): string[] {
  const folders = modules.flatMap(
    (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(resolve(ROOT, path)) ?? [],
  );
  return [...new Set(folders)];
}

/** Reads name, version, licence and hash of an npm package. Throws if it has no licence information. */
export function readPackageLicence(folder: string): Component {
  const { name, version, license } = readPackage(folder);
  const id = typeof license === 'string' ? license : '';
  const texts = [licenceTexts(folder), textsOfSibling(folder)].find((found) => found.length > 0);
  const standard = STANDARD_TEXTS[id] && `Copyright (c) the authors of ${name}\n\n${STANDARD_TEXTS[id]}`;
  const text = texts?.join('\n\n') ?? standard;
  if (text === undefined)
    throw new Error(
      `${folder}: no licence text${id ? ` for ${id}` : ''}. Its code must not ship without one, so remove the package or add the text.`,
    );
  const { integrity } = readLock()[relative(ROOT, folder).replaceAll('\\', '/')] ?? {};
  return { type: 'library', name, version, licence: id || 'see the text', text, integrity };
}

/** An entry of package-lock.json. */
export interface LockEntry {
  version: string;
  license?: string;
  integrity?: string;
  /** Whether another package's archive contains it. */
  inBundle?: boolean;
  hasInstallScript?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

let lock: Record<string, LockEntry>;

/** The packages of package-lock.json by their folders, such as `node_modules/a/node_modules/b`. Only a clone has this file. */
export function readLock(): Record<string, LockEntry> {
  lock ??= JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  return lock;
}

interface Package {
  name: string;
  version: string;
  license?: unknown;
  repository?: { url?: string };
}

function readPackage(folder: string): Package {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function licenceTexts(folder: string): string[] {
  const files = readdirSync(folder).filter((file) => LICENCE_FILE.test(file));
  return files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
}

/** The licence texts of another package with the same scope, repository and licence. */
function textsOfSibling(folder: string): string[] {
  const scope = dirname(folder);
  if (!basename(scope).startsWith('@')) return [];
  const { license, repository } = readPackage(folder);
  for (const name of readdirSync(scope).sort()) {
    const other = readPackage(join(scope, name));
    const isSibling =
      other.license === license && repository?.url && other.repository?.url === repository.url;
    const texts = isSibling ? licenceTexts(join(scope, name)) : [];
    if (texts.length > 0) return texts;
  }
  return [];
}

/** The licence of a sentence model, from the file LICENSE in the folder of its sources, if that is known. */
export function readModelLicence(name: string, folder: string | undefined): Component {
  const file = folder && join(folder, 'LICENSE');
  const [licence = '', ...rest] =
    file && existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : ['not recorded'];
  const text = rest.join('\n').trim() || 'polyseek has no licence text of this model. See its source.';
  return { type: 'machine-learning-model', name, licence, text };
}

/**
 * The content of THIRD_PARTY_NOTICES.txt: components by name, and each licence text once. `whole` contains them, and begins a sentence.
 * The comments of bundled code may name code that was copied into a package.
 */
export function formatNotices(whole: string, components: Component[], comments: string[]): string {
  const headed = components.map(({ name, version = '(sentence model)', licence, text }) => {
    return { heading: `${name} ${version}, licence: ${licence}`, text };
  });
  const headings = new Map<string, string[]>();
  for (const { heading, text } of headed.sort((a, b) => (a.heading < b.heading ? -1 : 1)))
    headings.set(text, [...(headings.get(text) ?? []), heading]);
  const sections = [...headings].map(([text, same]) => [...same, '', text].join('\n'));
  const unique = [...new Set(comments.map((comment) => comment.trim()))].filter(Boolean).sort();
  if (unique.length > 0) sections.push(['Licence comments in bundled code', '', ...unique].join('\n'));
  return `${[`${whole} contains the following third-party work.`, ...sections].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
