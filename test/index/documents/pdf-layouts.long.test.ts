import { describe } from 'vitest';
import { testLayouts, usePrinter } from '../../fixtures/pdf-layouts.ts';
import { missingTools } from '../../fixtures/tools.ts';

describe.skipIf(missingTools('chromium'))('a PDF file printed by Chromium', () => {
  testLayouts(usePrinter(), () => true);
});
