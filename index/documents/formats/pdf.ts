import type { Reader } from '../input.ts';
import { aboutOf } from '../pdf/about.ts';
import { composeAccents } from '../pdf/accents.ts';
import { withoutContents } from '../pdf/contents.ts';
import { withoutFurniture } from '../pdf/furniture.ts';
import { headingLevels, joinTitle, toBlocks } from '../pdf/headings.ts';
import { Vocabulary } from '../pdf/hyphens.ts';
import { damaged, openPdf } from '../pdf/open.ts';
import { outlineOf } from '../pdf/outline.ts';
import { readPages } from '../pdf/pages.ts';
import { paragraphsOf } from '../pdf/paragraphs.ts';

export const read: Reader = async function* (input) {
  const pdf = await openPdf(input);
  try {
    const { pages, fonts, scanned, damaged: bad } = await readPages(pdf, input);
    composeAccents(pages);
    const kept = withoutContents(withoutFurniture(pages));
    if (kept.every(({ blocks }) => blocks.length === 0)) {
      if (bad.length > 0) throw damaged(input);
      throw input.failure('no text', 'Recognize its text (OCR), for example with ocrmypdf, and build again.');
    }
    const report = (reason: string, numbers: number[], fix: string) => {
      const place = input.path;
      if (numbers.length > 0)
        input.report({ kind: 'failed', place, reason, fix: `${fix} (page ${ranges(numbers)}).` });
    };
    report('no text', scanned, 'Recognize the text of its scanned pages (OCR)');
    report('damaged', bad, 'Open it in a PDF viewer, and save it again');
    const paragraphs = joinTitle(paragraphsOf(kept, fonts, new Vocabulary(kept)));
    const levels = headingLevels(paragraphs, await outlineOf(pdf));
    const about = await aboutOf(pdf);
    const blocks = toBlocks(paragraphs, levels);
    const heading = blocks.find(({ level }) => level === 1)?.text;
    yield { source: input.source, title: about.title ?? heading, lang: about.lang, blocks };
  } finally {
    await pdf.loadingTask.destroy();
  }
};

/** `3, 5-9` */
function ranges(numbers: number[]): string {
  const parts: string[] = [];
  for (let start = 0; start < numbers.length; ) {
    let end = start;
    while (numbers[end + 1] === numbers[end]! + 1) end++;
    parts.push(start === end ? `${numbers[start]}` : `${numbers[start]}-${numbers[end]}`);
    start = end + 1;
  }
  return parts.join(', ');
}
