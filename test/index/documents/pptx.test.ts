import { describe, expect, it } from 'vitest';
import { part, relations } from '../../fixtures/office.ts';
import { outline, readBytes } from '../../fixtures/read.ts';
import { zipOf } from '../../fixtures/zip.ts';

/** A shape with a placeholder and paragraphs. */
function shape(placeholder: string, ...texts: string[]): string {
  const paragraphs = texts.map((text) => `<a:p><a:r><a:rPr lang="it-IT"/><a:t>${text}</a:t></a:r></a:p>`);
  const type = placeholder && `<p:ph type="${placeholder}"/>`;
  return `<p:sp><p:nvSpPr><p:nvPr>${type}</p:nvPr></p:nvSpPr><p:txBody>${paragraphs.join('')}</p:txBody></p:sp>`;
}

const slide = (content: string, attributes = '') =>
  part('p:sld', `<p:cSld><p:spTree>${content}</p:spTree></p:cSld>`).replace('<p:sld', `<p:sld ${attributes}`);

/** A presentation that shows its slides from the last to the first. */
function pptx(slides: string[], more: Record<string, string> = {}): Buffer {
  const names = slides.map((_, i) => `slides/slide${i + 1}.xml`);
  const list = names.map((_, i) => `<p:sldId r:id="s${i}"/>`).reverse();
  return zipOf({
    '_rels/.rels': relations(['a', 'officeDocument', 'ppt/presentation.xml']),
    'ppt/presentation.xml': part('p:presentation', `<p:sldIdLst>${list.join('')}</p:sldIdLst>`),
    'ppt/_rels/presentation.xml.rels': relations(
      ...names.map((name, i): [string, string, string] => [`s${i}`, 'slide', name]),
    ),
    ...Object.fromEntries(slides.map((content, i) => [`ppt/${names[i]}`, content])),
    ...more,
  });
}

const outlineOf = async (content: Buffer) => outline((await readBytes('a.pptx', content)).documents);

describe('PowerPoint presentations', () => {
  it('reads slides in the order of the presentation, hidden ones too', async () => {
    const file = pptx([slide(shape('title', 'Second'), 'show="0"'), slide(shape('ctrTitle', 'First'))]);
    const { documents, notices } = await readBytes('a.pptx', file);
    expect(outline(documents)).toBe('## 1. First\n## 2. Second');
    expect(documents).toMatchObject([{ title: 'First', lang: 'it-IT' }]);
    expect(notices).toEqual([]);
  });

  it('puts the title first, and numbers slides without one', async () => {
    const file = pptx([
      slide(''),
      slide(shape('', 'free')),
      slide(shape('body', 'text') + shape('title', 'A', 'B')),
    ]);
    expect(await outlineOf(file)).toBe('## 1. A B\ntext\n## Slide 2\nfree');
  });

  it('leaves out numbers, dates and footers', async () => {
    const field = '<a:p><a:fld type="slidenum"><a:t>7</a:t></a:fld><a:r><a:t>of many</a:t></a:r></a:p>';
    const shapes = ['dt', 'ftr', 'sldNum', 'hdr'].map((type) => shape(type, type)).join('');
    const file = pptx([slide(`${shapes}<p:sp><p:txBody>${field}</p:txBody></p:sp>${shape('', 'end')}`)]);
    const { documents } = await readBytes('decks/a.b.pptx', file);
    expect(outline(documents)).toBe('## Slide 1\nof many\nend');
    expect(documents).toMatchObject([{ title: 'a.b' }]);
  });

  it('reads tables, line breaks, groups, formulas and alternatives once', async () => {
    const cell = (text: string) =>
      `<a:tc><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`;
    const row = (...cells: string[]) => `<a:tr>${cells.map(cell).join('')}</a:tr>`;
    const table = `<p:graphicFrame><a:graphic><a:tbl>${row('川', 'km')}${row('信濃', '367')}</a:tbl></a:graphic></p:graphicFrame>`;
    const formula = '<a:p><m:oMath><m:r><m:t>x=1</m:t></m:r></m:oMath></a:p>';
    const alternative = `<mc:AlternateContent><mc:Choice>${shape('', 'new')}</mc:Choice><mc:Fallback>${shape('', 'old')}</mc:Fallback></mc:AlternateContent>`;
    const lines =
      '<p:sp><p:txBody><a:p><a:r><a:t>a</a:t></a:r><a:br/><a:r><a:t>b</a:t></a:r></a:p></p:txBody></p:sp>';
    const group = `<p:grpSp><p:grpSp>${lines}</p:grpSp></p:grpSp>`;
    const file = pptx([slide(`${table}${alternative}${group}<p:sp><p:txBody>${formula}</p:txBody></p:sp>`)]);
    expect(await outlineOf(file)).toBe('## Slide 1\n川 | km\n信濃 | 367\nnew\na\nb\nx=1');
  });

  it('reads diagrams, and speaker notes after the slide', async () => {
    const diagram =
      '<dgm:ptLst><dgm:pt><dgm:t><a:p><a:r><a:t>node</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:ptLst>';
    const notes = `<p:cSld><p:spTree>${shape('sldImg', 'image')}${shape('body', 'say this')}${shape('sldNum', '1')}</p:spTree></p:cSld>`;
    const file = pptx([slide(shape('title', 'T')), slide(shape('title', 'first'))], {
      'ppt/slides/_rels/slide1.xml.rels': relations(
        ['n', 'notesSlide', '../notesSlides/n.xml'],
        ['d', 'diagramData', '/ppt/diagrams/d.xml'],
      ),
      'ppt/notesSlides/n.xml': part('p:notes', notes),
      'ppt/diagrams/d.xml': part('dgm:dataModel', diagram),
    });
    expect(await outlineOf(file)).toBe('## 1. first\n## 2. T\nnode\nsay this');
  });

  it('fails without text', async () => {
    const { notices } = await readBytes('a.pptx', pptx([slide('<p:pic/>')]));
    expect(notices).toMatchObject([{ reason: 'no text' }]);
  });
});
