import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseOfficeAsync } from 'officeparser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LibreOffice } from '../../fixtures/libreoffice.ts';
import { outline, readBytes } from '../../fixtures/read.ts';
import { missingTools } from '../../fixtures/tools.ts';
import { zip } from '../../fixtures/zip.ts';

const TEXT = `---
title: Handbuch der Flüsse
author: Ada Beispiel
lang: de
---

# Quellen

Die Donau entspringt im *Schwarzwald*.[^1] Dort regnet es oft.

[^1]: Genauer: in Donaueschingen.

- erster Punkt
- zweiter Punkt
    1. darunter

## Русский раздел

Река Волга впадает в Каспийское море.

| Fluss | Länge   |
|-------|---------|
| Rhein | 1230 km |
| 黄河  | 5464 km |

# العربية

يصب نهر النيل في البحر الأبيض المتوسط.

# 日本語

信濃川は日本で一番長い川です。
`;

const OUTLINE = `# Handbuch der Flüsse
Ada Beispiel
## Quellen
Die Donau entspringt im Schwarzwald. Dort regnet es oft.
Genauer: in Donaueschingen.
erster Punkt
zweiter Punkt
darunter
### Русский раздел
Река Волга впадает в Каспийское море.
Fluss | Länge
Rhein | 1230 km
黄河 | 5464 km
## العربية
يصب نهر النيل في البحر الأبيض المتوسط.
## 日本語
信濃川は日本で一番長い川です。`;

const SLIDES = `---
title: Rivers
---

# Sources

- The Danube rises in the Black Forest.
- Волга

::: notes
Mention Donaueschingen.

اذكر النيل
:::

# 河川

| 川   | km  |
|------|-----|
| 信濃 | 367 |
`;

const SLIDE_OUTLINE = `## 1. Rivers
## 2. Sources
The Danube rises in the Black Forest.
Волга
Mention Donaueschingen.
اذكر النيل
## 3. 河川
川 | km
信濃 | 367`;

const TABLE = `Name,Länge,gemessen,Quelle
Рейн,1230.5,2024-02-29,"Piz, Badus"
黄河,5464,2023-12-01,
النيل,6650,1999-01-31,بحيرة`;

const ROWS = [
  'table › Рейн\nLänge: 1230.5\ngemessen: 2024-02-29\nQuelle: Piz, Badus',
  'table › 黄河\nLänge: 5464\ngemessen: 2023-12-01',
  'table › النيل\nLänge: 6650\ngemessen: 1999-01-31\nQuelle: بحيرة',
];

describe.skipIf(missingTools('pandoc', 'soffice'))('files of office programs', () => {
  const files = new Map<string, Buffer>();
  let folder = '';
  const file = (name: string): Buffer => files.get(name)!;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'polyseek-office-'));
    writeFileSync(join(folder, 'text.md'), TEXT);
    writeFileSync(join(folder, 'slides.md'), SLIDES);
    writeFileSync(join(folder, 'table.csv'), TABLE);
    for (const name of ['text.docx', 'text.odt', 'text.epub', 'slides.pptx']) {
      execFileSync('pandoc', [`${name.split('.')[0]}.md`, '-o', name], { cwd: folder });
      files.set(`pandoc ${name}`, readFileSync(join(folder, name)));
    }
    const office = new LibreOffice(folder);
    files.set('LibreOffice text.docx', office.convert('text.odt', 'docx:MS Word 2007 XML'));
    files.set('LibreOffice text.odt', office.convert('text.docx', 'odt'));
    files.set('text.doc', office.convert('text.odt', 'doc'));
    files.set('LibreOffice slides.odp', office.convert('slides.pptx', 'odp'));
    files.set('LibreOffice table.xlsx', office.convert('table.csv', 'xlsx'));
    files.set('LibreOffice table.ods', office.convert('table.csv', 'ods'));
    const encrypted = office.encrypt('text.odt');
    files.set('encrypted.odt', encrypted.odt);
    files.set('encrypted.docx', encrypted.docx);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(['pandoc text.docx', 'LibreOffice text.docx', 'pandoc text.odt', 'LibreOffice text.odt'])(
    'keeps the structure of %s',
    async (name) => {
      const { documents, notices } = await readBytes(name, file(name));
      expect(outline(documents)).toBe(OUTLINE);
      expect(documents).toMatchObject([{ title: 'Handbuch der Flüsse', lang: expect.stringMatching(/^de/) }]);
      expect(notices).toEqual([]);
    },
  );

  it('keeps the structure of an EPUB file of pandoc', async () => {
    const { documents } = await readBytes('text.epub', file('pandoc text.epub'));
    expect(documents).toMatchObject([
      { title: 'Handbuch der Flüsse', lang: 'de', metadata: { author: ['Ada Beispiel'] } },
    ]);
    const headings = documents[0]!.blocks.filter(({ kind }) => kind === 'heading');
    expect(headings.map(({ level, text }) => `${level} ${text}`)).toEqual([
      '2 Handbuch der Flüsse',
      '2 Quellen',
      '3 Русский раздел',
      '2 العربية',
      '2 日本語',
    ]);
    expect(outline(documents)).toContain('Fluss | Länge\nRhein | 1230 km\n黄河 | 5464 km');
  });

  it.each(['pandoc slides.pptx', 'LibreOffice slides.odp'])('keeps slides and notes of %s', async (name) => {
    const { documents } = await readBytes(name, file(name));
    expect(outline(documents)).toBe(SLIDE_OUTLINE);
    expect(documents).toMatchObject([{ title: 'Rivers' }]);
  });

  it.each(['LibreOffice table.xlsx', 'LibreOffice table.ods'])('reads rows of %s', async (name) => {
    const { documents } = await readBytes(name, file(name));
    expect(documents.map(({ title, blocks }) => `${title}\n${blocks[0]!.text}`)).toEqual(ROWS);
    expect(new Set(documents.map(({ id }) => id)).size).toBe(3);
  });

  it.each([
    'pandoc text.docx',
    'LibreOffice text.docx',
    'pandoc text.odt',
    'LibreOffice text.odt',
    'pandoc slides.pptx',
    'LibreOffice slides.odp',
    'LibreOffice table.xlsx',
    'LibreOffice table.ods',
  ])('finds every word that officeparser finds in %s', async (name) => {
    const { documents } = await readBytes(name, file(name));
    const texts = documents.flatMap(({ title, blocks }) => [title, ...blocks.map(({ text }) => text)]);
    const found = words(texts.join('\n'));
    const expected = words(await parseOfficeAsync(file(name)));
    expect(expected.size).toBeGreaterThan(10);
    // Numbers that store dates, the placeholder `<number>` on pages of notes, the name of the column with titles, and the number of a
    // note that officeparser joins to its text.
    const isOther = (word: string) => /^(?:\d{5}|number|Name|\d\p{L}+)$/u.test(word);
    const missing = [...expected].filter((word) => !found.has(word) && !isOther(word));
    expect(missing).toEqual([]);
  });

  it.each([
    ['encrypted.odt', 'encrypted.odt', 'encrypted'],
    ['encrypted.docx', 'encrypted.docx', 'encrypted'],
    ['text.doc', 'text.doc', 'old Office format'],
    ['text.doc', 'really-a-doc.docx', 'old Office format'],
  ])('names the reason why %s, called %s, is not read', async (name, called, reason) => {
    const { documents, notices } = await readBytes(called, file(name));
    expect(documents).toEqual([]);
    expect(notices).toMatchObject([{ kind: 'failed', place: called, reason }]);
  });

  it('fails for truncated files with a reason', async () => {
    for (const [name, content] of files) {
      for (const part of [0, 0.3, 0.6, 0.99]) {
        const { notices } = await readBytes(name, content.subarray(0, part * content.length));
        expect(notices, `${part} of ${name}`).toHaveLength(1);
        expect(notices[0]).toMatchObject({
          kind: 'failed',
          reason: expect.stringMatching(/^(damaged|encrypted|old Office format)$/),
        });
      }
    }
  });
});

it('stops at a part that inflates too much', async () => {
  const bomb = zip([
    { name: 'word/document.xml', content: Buffer.alloc(257 * 2 ** 20, ' '), declaredSize: 100 },
  ]);
  const { notices } = await readBytes('a.docx', bomb);
  expect(notices).toMatchObject([{ kind: 'failed', reason: 'too large' }]);
});

function words(text: string): Set<string> {
  return new Set(text.normalize('NFC').match(/[\p{L}\p{N}\p{M}]+/gu));
}
