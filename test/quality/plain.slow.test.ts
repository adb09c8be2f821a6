import { beforeAll, describe, expect, it } from 'vitest';
import { missingTools } from '../fixtures/tools.ts';
import { scoreHalf } from './plain/report.ts';
import { type Counts, figures, sum } from './plain/score.ts';
import { annotatedTexts } from './plain/texts.ts';

/** Security updates change some texts, whose marks then do not fit. */
const MAX_MISSING = 5;

const noTools = missingTools('man', 'pdftotext', 'w3m');
const half = noTools ? { scored: [], missing: [] } : scoreHalf('test');
for (const sentence of half.missing) console.warn(`Skipped ${sentence}`);
const isTooFew = half.missing.length > MAX_MISSING;
if (isTooFew && process.env.CI) throw new Error(`${half.missing.length} texts are missing.`);

describe('the annotated texts', () => {
  it('are at least 80 in at least 10 languages, and no source is in both halves', () => {
    const texts = annotatedTexts();
    expect(texts.length).toBeGreaterThanOrEqual(80);
    expect(new Set(texts.map(({ lang }) => lang)).size).toBeGreaterThanOrEqual(10);
    const packages = (split: string) =>
      texts.filter((text) => text.split === split && text.package).map((text) => text.package);
    expect(packages('dev').filter((name) => packages('test').includes(name))).toEqual([]);
  });
});

describe.skipIf(noTools || isTooFew)('the unused half of real texts', () => {
  let counts: Counts;

  beforeAll(() => {
    counts = sum(half.scored.map(({ counts }) => counts));
  });

  it('has its paragraphs', () => {
    expect(figures(counts.boundaries).f1).toBeGreaterThanOrEqual(0.95);
    expect(counts.joints.right / counts.joints.true).toBeGreaterThanOrEqual(0.95);
  });

  it('has its headings, and few others', () => {
    const { precision, recall } = figures(counts.headings);
    expect(precision).toBeGreaterThanOrEqual(0.95);
    expect(recall).toBeGreaterThanOrEqual(0.8);
  });
});
