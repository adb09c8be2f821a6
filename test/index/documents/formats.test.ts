import { describe, expect, it } from 'vitest';
import { pdfFile } from '../../fixtures/pdf-files.ts';
import { outline, readBytes } from '../../fixtures/read.ts';

const PDF = pdfFile([[{ x: 72, y: 700, text: 'Boats are here.' }]]);

describe('a file without a suffix', () => {
  it.each([
    [
      'plain text',
      'Boats are here, and the ferry leaves at noon.',
      'Boats are here, and the ferry leaves at noon.',
    ],
    ['HTML', '<!doctype html><title>A</title><p>Boats</p>', 'Boats'],
    ['XML', '<?xml version="1.0"?><article><title>Port</title><para>Boats</para></article>', '# Port\nBoats'],
    ['JSON', '{"title": "Port", "text": "Boats"}', 'Boats'],
    ['e-mail', 'From: a@example.com\nSubject: Port\n\nBoats are here.', 'Boats are here.'],
    ['PDF', PDF, 'Boats are here.'],
  ])('is read as %s by its content', async (_, content, text) => {
    const { documents, notices } = await readBytes('docs/README', content);
    expect(notices).toEqual([]);
    expect(outline(documents)).toBe(text);
  });

  it('is skipped if it is no text', async () => {
    const { documents, notices } = await readBytes(
      'bin/program',
      Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]),
    );
    expect(documents).toEqual([]);
    expect(notices).toEqual([{ kind: 'skipped', place: 'bin/program', reason: 'unknown format' }]);
  });
});

describe('a file with a suffix', () => {
  it('is read by its content, if it is a PDF file', async () => {
    expect(outline((await readBytes('a.txt', PDF)).documents)).toBe('Boats are here.');
  });

  it('is skipped with its suffix, if no format has it', async () => {
    const { notices } = await readBytes('a.b/main.XYZ', 'text');
    expect(notices).toEqual([{ kind: 'skipped', place: 'a.b/main.XYZ', reason: 'unknown format .xyz' }]);
  });

  it('of TeX is skipped with what to do', async () => {
    const { documents, notices } = await readBytes('a.tex', '\\section{Boats}');
    expect(documents).toEqual([]);
    const fix = 'Build it as PDF or HTML and index that.';
    expect(notices).toEqual([{ kind: 'skipped', place: 'a.tex', reason: 'TeX source', fix }]);
  });

  it('of Outlook fails with what to do', async () => {
    const { notices } = await readBytes('a.msg', Buffer.from([0xd0, 0xcf, 0x11, 0xe0]));
    expect(notices).toMatchObject([{ kind: 'failed', fix: 'Save it as .eml and build again.' }]);
  });
});

describe('a Jupyter notebook', () => {
  const cell = (cell_type: string, source: string | string[], outputs?: unknown[]) => ({
    cell_type,
    source,
    outputs,
  });
  const notebook = (...cells: unknown[]) => JSON.stringify({ cells, nbformat: 4 });

  it('is read as text, code and results', async () => {
    const content = notebook(
      cell('markdown', ['# Boats\n', 'How many **boats** are here?']),
      cell('code', 'a = "```"\nprint(2)', [
        { output_type: 'stream', text: ['2\n'] },
        { data: { 'image/png': 'iVBORw0KGgo', 'text/plain': 'x'.repeat(5000) } },
      ]),
      cell('raw', 'raw'),
    );
    const { documents, notices } = await readBytes('a.ipynb', content);
    expect(notices).toEqual([]);
    expect(documents[0]!.title).toBe('Boats');
    const lines = outline(documents).split('\n');
    expect(lines.slice(0, 5)).toEqual(['# Boats', 'How many boats are here?', 'a = "```"', 'print(2)', '2']);
    expect(lines[5]).toBe(`${'x'.repeat(2000)} …`);
    expect(lines).toHaveLength(6);
  });

  it.each([
    '{',
    '{"worksheets": []}',
    '[]',
    notebook(null, 1, cell('code', 'a', [null])).replace('cells', 'x'),
  ])('fails if it is none: %s', async (content) => {
    expect((await readBytes('a.ipynb', content)).notices).toMatchObject([{ kind: 'failed' }]);
  });
});
