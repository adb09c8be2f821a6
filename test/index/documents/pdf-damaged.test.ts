import { describe, expect, it, vi } from 'vitest';
import { pdfFile } from '../../fixtures/pdf-files.ts';
import { outline, readBytes } from '../../fixtures/read.ts';
import { runs } from '../../fixtures/runs.ts';

/** Pages with a running head, a paragraph of two lines, and a page number. */
const pages = [1, 2, 3, 4].map((number) => [
  { x: 72, y: 760, text: 'Annual report' },
  {
    x: 72,
    y: 700,
    text: `This paragraph on page ${number} is wide enough to be divided, and it ends with di-`,
  },
  { x: 72, y: 686, text: 'vided.' },
  { x: 300, y: 40, text: `${number + 6}` },
]);
const file = pdfFile(pages);
const text = [1, 2, 3, 4].map(
  (number) => `This paragraph on page ${number} is wide enough to be divided, and it ends with divided.`,
);

describe('a PDF file', () => {
  it('is read page by page, without running heads and page numbers', async () => {
    const { documents, notices } = await readBytes('report.pdf', file);
    expect(notices).toEqual([]);
    expect(documents.map(({ source }) => source)).toEqual(['report.pdf']);
    expect(documents[0]!.blocks).toEqual(
      text.map((paragraph, i) => ({ kind: 'paragraph', text: paragraph, anchor: `page=${i + 1}` })),
    );
  });

  it.each([
    ['is empty', Buffer.alloc(0)],
    ['is something else', Buffer.from('<html>Not a PDF file</html>')],
    ['has the signature only', Buffer.from('%PDF-1.4\n')],
    ['has no pages', Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF')],
  ])('that %s is reported as damaged', async (_, bytes) => {
    const { documents, notices } = await readBytes('report.pdf', bytes);
    expect(documents).toEqual([]);
    expect(notices).toEqual([
      {
        kind: 'failed',
        place: 'report.pdf',
        reason: 'damaged',
        fix: 'Open it in a PDF viewer, save it again, and build again.',
      },
    ]);
  });

  it('that was cut off is read as far as possible, or reported', async () => {
    for (let end = 0; end < file.length; end += 97) await expectReadOrReported(file.subarray(0, end));
  });

  it('with wrong bytes is read as far as possible, or reported', async () => {
    const tries = runs(file.length / 61);
    for (let i = 0; i < tries; i++) {
      const at = Math.floor((i * file.length) / tries);
      const changed = Buffer.from(file);
      changed[at]! ^= 1 << (at % 8);
      await expectReadOrReported(changed);
    }
  });

  it('is read without printing anything', async () => {
    const written = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
    const logged = (['log', 'info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
    try {
      await readBytes('report.pdf', file);
      await readBytes('report.pdf', file.subarray(0, file.length / 2));
      for (const spy of [...written, ...logged]) expect(spy).not.toHaveBeenCalled();
    } finally {
      for (const spy of [...written, ...logged]) spy.mockRestore();
    }
  });
});

async function expectReadOrReported(bytes: Buffer): Promise<void> {
  const { documents, notices } = await readBytes('report.pdf', bytes);
  const found = outline(documents);
  if (documents.length === 0) expect(notices).toHaveLength(1);
  else expect(found).toMatch(/\S/);
  for (const { reason } of notices) expect(['damaged', 'no text', 'encrypted']).toContain(reason);
}
